//! `DetectAnomalies`: whether a metric is where its own history lets it be expected.
//!
//! Glue's model is closed; this is another one, made to be explained. A new value is an anomaly when it lies outside a band
//! around what was to be expected:
//!
//! ```text
//! level    the median of the newest 28 values
//! trend    instead, when the values rise or fall steadily (Mann-Kendall test at 1 %): the Theil-Sen line through them
//! weekday  instead, when runs are a day apart, three of them fell on this weekday, and the weekday explains the values
//!          clearly better: the median of that weekday, after the trend, in the newest 56 values
//!
//! width    3 × (1 + 4/n) × spread to both sides, but at least 1 % of what is expected
//! spread   of how far each earlier value lies from what its fellows say: 1.4826 × median, or 0.61 × the 90 % quantile,
//!          whichever is larger; both are the standard deviation of a normal distribution
//! ```
//!
//! Medians let a few wild values in the history pass without harm. The 90 % quantile is for metrics that are nearly always
//! the same: what one run in ten did is not an anomaly. The term 4/n widens the band while little is known: with three
//! values it is more than twice as wide.
//!
//! False alarms on 2000 simulated series each, in per cent, by the number of earlier values (the test
//! `false_alarms_are_rare` runs fewer of them and prints them):
//!
//! ```text
//!                               3      8     14     28     56
//! normal                      0.7    0.15   0.25   0.1    0.3
//! normal with a trend         1.4    0.3    0.35   0.1    0.2
//! weekly                      0.7    0.0    0.0    0.1    0.25
//! weekly with a trend         1.0    0.0    0.0    0.0    0.0
//! lognormal, sigma 0.2        0.8    0.1    0.4    0.4    0.4
//! ```
//!
//! A value eight standard deviations off is found in 97.8 % of the cases after 14 values, and in 99.95 % after 56 in a
//! weekly rhythm.
//!
//! Limits. Without three weeks of daily runs a weekly rhythm is not known, and its first weekends are alarms. Time is when
//! a run was committed. Only committed runs count: a lasting change of level stays an alarm until such runs are committed
//! (by a rule like `(DetectAnomalies "RowCount") OR (RowCount > 0)`), and becomes what is expected after 15 of them.

use std::fmt;

use chrono::{DateTime, Datelike, Utc};

use crate::dynamic::median;
use crate::history::{HistoryPoint, MetricHistory};
use crate::java_double::java_double;

/// Fewer values than this say nothing.
pub const MIN_POINTS: usize = 3;
/// The newest values that level and trend look at.
const RECENT_POINTS: usize = 28;
/// The newest values that weekdays are compared over: eight weeks of days.
pub const MAX_POINTS: usize = 56;
/// The half width of the band in standard deviations, when much is known.
const WIDTH: f64 = 3.0;
/// How much wider the band is while little is known: `1 + WIDER / n`.
const WIDER: f64 = 4.0;
/// A change by less than this share of what is expected is no anomaly.
const FLOOR: f64 = 0.01;
/// The same where zero is expected.
const SMALLEST: f64 = 1e-9;
/// Weekdays must leave less than this share of the spread.
const CLEARLY_BETTER: f64 = 0.8;
/// A normal distribution's standard deviation over its median absolute deviation.
const MEDIAN_TO_SIGMA: f64 = 1.4826;
/// A normal distribution's standard deviation over the 90 % quantile of its absolute deviations.
const QUANTILE_TO_SIGMA: f64 = 0.6080;
/// The two-sided 1 % point of the normal distribution.
const ONE_PERCENT: f64 = 2.576;

/// How the expected value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The median of the newest values.
    Level,
    /// A line through the newest values.
    Trend,
    /// The median of the same weekday.
    Weekday,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Level => "level",
            Self::Trend => "trend",
            Self::Weekday => "weekday",
        })
    }
}

/// Where a value may lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// What is expected.
    pub expected: f64,
    /// The least value that is no anomaly.
    pub lower: f64,
    /// The greatest value that is no anomaly.
    pub upper: f64,
    /// How that was found.
    pub method: Method,
    /// How many earlier values it was found from.
    pub points: usize,
}

impl Band {
    /// Whether a value is no anomaly; NaN is one.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

/// What the history says of a new value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Forecast {
    /// Too few values are known.
    NotEnough {
        /// How many are.
        points: usize,
    },
    /// It should lie in this band.
    Band(Band),
}

/// The verdict on a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Whether the rule holds: the value is no anomaly, or too little is known to say.
    pub passed: bool,
    /// Why it does not hold, or that too little is known.
    pub message: Option<String>,
    /// What was expected, when enough is known.
    pub band: Option<Band>,
}

/// Judges the value that a metric has at `at` by its history.
pub fn detect(
    history: &dyn MetricHistory,
    metric: &str,
    filter: Option<&str>,
    at: DateTime<Utc>,
    value: f64,
) -> Detection {
    let mut points = history.points(metric, filter, MAX_POINTS);
    points.reverse();
    let band = match forecast(&points, at) {
        Forecast::NotEnough { points } => {
            return Detection { passed: true, message: Some(not_enough(metric, points)), band: None };
        }
        Forecast::Band(band) => band,
    };
    let passed = band.contains(value);
    let message = (!passed).then(|| {
        format!(
            "Value: {} is not between {} and {}; {} was expected ({} of {} earlier values).",
            java_double(value),
            java_double(band.lower),
            java_double(band.upper),
            java_double(band.expected),
            band.method,
            band.points
        )
    });
    Detection { passed, message, band: Some(band) }
}

/// What is said of a metric with too few earlier values.
pub(crate) fn not_enough(metric: &str, points: usize) -> String {
    format!("Not enough history to detect anomalies of {metric}: {points} of at least {MIN_POINTS} values.")
}

/// What is to be expected at `at` after `points`, oldest first. Points that are NaN or infinite do not count.
pub fn forecast(points: &[HistoryPoint], at: DateTime<Utc>) -> Forecast {
    let mut series: Vec<Sample> =
        points.iter().filter(|point| point.value.is_finite()).map(|point| Sample::new(point, at)).collect();
    series.drain(..series.len().saturating_sub(MAX_POINTS));
    if series.len() < MIN_POINTS {
        return Forecast::NotEnough { points: series.len() };
    }
    let recent = &series[series.len().saturating_sub(RECENT_POINTS)..];
    let mut estimate = recent_estimate(recent);
    if let Some(weekday) = weekday_estimate(&series, at)
        && weekday.spread < CLEARLY_BETTER * estimate.spread
    {
        estimate = weekday;
    }
    let Estimate { expected, spread, method, points } = estimate;
    let width = (WIDTH * (1.0 + WIDER / points as f64) * spread).max(FLOOR * expected.abs()).max(SMALLEST);
    Forecast::Band(Band { expected, lower: expected - width, upper: expected + width, method, points })
}

/// A value with its time.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Days from the new value's time: negative.
    day: f64,
    weekday: u32,
    value: f64,
}

impl Sample {
    fn new(point: &HistoryPoint, at: DateTime<Utc>) -> Self {
        let day = (point.at - at).num_milliseconds() as f64 / 86_400_000.0;
        Self { day, weekday: point.at.weekday().num_days_from_monday(), value: point.value }
    }
}

/// What is expected, and how far values usually are from what was expected of them.
struct Estimate {
    expected: f64,
    spread: f64,
    method: Method,
    points: usize,
}

/// The level of the newest values, or their trend.
fn recent_estimate(recent: &[Sample]) -> Estimate {
    let points = recent.len();
    let Some(slope) = slope(recent) else {
        let values: Vec<f64> = recent.iter().map(|sample| sample.value).collect();
        let expected = median(&values).unwrap_or_default();
        return Estimate { expected, spread: spread(from_the_others(&values)), method: Method::Level, points };
    };
    let at_last: Vec<f64> = without_trend(recent, slope);
    let level = median(&at_last).unwrap_or_default();
    // A line fits its own points better than it foretells the next.
    let narrowed = points as f64 / (points as f64 - 2.0);
    let deviations = at_last.iter().map(|value| (value - level) * narrowed).collect();
    let expected = level + slope * days_ahead(recent);
    Estimate { expected, spread: spread(deviations), method: Method::Trend, points }
}

/// The median of the weekday of `at`; `None` when runs are not a day apart or too few fell on it.
fn weekday_estimate(series: &[Sample], at: DateTime<Utc>) -> Option<Estimate> {
    let gaps: Vec<f64> = series.windows(2).map(|pair| pair[1].day - pair[0].day).collect();
    if !(0.8..=1.25).contains(&median(&gaps)?) {
        return None;
    }
    let slope = slope(series).unwrap_or(0.0);
    let values = without_trend(series, slope);
    let mut groups: [Vec<f64>; 7] = Default::default();
    for (sample, value) in series.iter().zip(values) {
        groups.get_mut(sample.weekday as usize)?.push(value);
    }
    let same = groups.get(at.weekday().num_days_from_monday() as usize)?;
    if same.len() < 3 {
        return None;
    }
    let expected = median(same)? + slope * days_ahead(series);
    let deviations = groups.iter().filter(|group| group.len() > 1).flat_map(|group| from_the_others(group)).collect();
    Some(Estimate { expected, spread: spread(deviations), method: Method::Weekday, points: series.len() })
}

/// The median slope between two values, per day; `None` unless the values rise or fall more steadily than chance does.
fn slope(samples: &[Sample]) -> Option<f64> {
    let pairs =
        || samples.iter().enumerate().flat_map(|(i, earlier)| samples.iter().skip(i + 1).map(move |l| (earlier, l)));
    let rises: i32 = pairs().map(|(earlier, later)| later.value.total_cmp(&earlier.value) as i32).sum();
    let n = samples.len() as f64;
    let by_chance = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    if f64::from(rises).abs() <= ONE_PERCENT * by_chance {
        return None;
    }
    let slope = |(earlier, later): (&Sample, &Sample)| {
        let days = later.day - earlier.day;
        (days > 0.0).then(|| (later.value - earlier.value) / days)
    };
    median(&pairs().filter_map(slope).collect::<Vec<_>>())
}

/// The values as they would be at the time of the newest.
fn without_trend(samples: &[Sample], slope: f64) -> Vec<f64> {
    let newest = samples.last().map_or(0.0, |sample| sample.day);
    samples.iter().map(|sample| sample.value - slope * (sample.day - newest)).collect()
}

/// Days from the newest value to the new one, but no more than the values themselves span: a line says nothing of what is
/// further away.
fn days_ahead(samples: &[Sample]) -> f64 {
    match samples {
        [oldest, .., newest] => (-newest.day).clamp(0.0, newest.day - oldest.day),
        _ => 0.0,
    }
}

/// How far each value lies from the median of the others.
fn from_the_others(values: &[f64]) -> Vec<f64> {
    let deviation = |index: usize| {
        let (before, from) = values.split_at(index);
        let (value, after) = from.split_first()?;
        Some(value - median(&[before, after].concat())?)
    };
    (0..values.len()).filter_map(deviation).collect()
}

/// The standard deviation that the deviations speak of.
fn spread(mut deviations: Vec<f64>) -> f64 {
    deviations.iter_mut().for_each(|deviation| *deviation = deviation.abs());
    deviations.sort_by(f64::total_cmp);
    let tenth_from_above = (deviations.len() as f64 * 0.9).ceil() as usize;
    let quantile = deviations.get(tenth_from_above.saturating_sub(1)).copied().unwrap_or_default();
    (MEDIAN_TO_SIGMA * median(&deviations).unwrap_or_default()).max(QUANTILE_TO_SIGMA * quantile)
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;

    /// Monday, 1 January 2024.
    fn day(number: usize) -> DateTime<Utc> {
        "2024-01-01T03:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::days(number as i64)
    }

    fn daily(values: &[f64]) -> Vec<HistoryPoint> {
        values.iter().enumerate().map(|(index, value)| HistoryPoint { at: day(index), value: *value }).collect()
    }

    fn band(values: &[f64]) -> Band {
        match forecast(&daily(values), day(values.len())) {
            Forecast::Band(band) => band,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_never_changes_may_not_change_much() {
        let band = band(&[1000.0; 10]);
        assert_eq!((band.expected, band.lower, band.upper, band.method), (1000.0, 990.0, 1010.0, Method::Level));
        let ones = super::tests::band(&[1.0; 5]);
        assert!(ones.contains(1.0) && ones.contains(1.0 - 1e-12) && !ones.contains(0.9));
        let zeros = super::tests::band(&[0.0; 5]);
        assert!(zeros.contains(0.0) && zeros.contains(1e-12) && !zeros.contains(1.0));
    }

    #[test]
    fn three_values_by_hand() {
        // Median 100. From the median of the other two: 90 - 105, 100 - 100, 110 - 95 = 15, 0, 15 without sign; their
        // median is 15, their 90 % quantile 15: spread 1.4826 * 15 = 22.239, width 3 * (1 + 4/3) * 22.239 = 155.673.
        let band = band(&[90.0, 110.0, 100.0]);
        assert_eq!(band.expected, 100.0);
        assert!((band.upper - 255.673).abs() < 1e-9 && (band.lower + 55.673).abs() < 1e-9, "{band:?}");
    }

    #[test]
    fn too_few_values_pass_and_say_so() {
        struct Two;
        impl MetricHistory for Two {
            fn points(&self, _: &str, _: Option<&str>, _: usize) -> Vec<HistoryPoint> {
                daily(&[1.0, f64::NAN, 2.0])
            }
        }
        let detection = detect(&Two, "Dataset.*.RowCount", None, day(3), 99.0);
        let message = "Not enough history to detect anomalies of Dataset.*.RowCount: 2 of at least 3 values.";
        assert_eq!(detection, Detection { passed: true, message: Some(message.to_owned()), band: None });
    }

    #[test]
    fn nan_and_infinity_do_not_count() {
        let clean = [10.0, 12.0, 11.0, 9.0];
        let dirty = [f64::NAN, 10.0, 12.0, f64::INFINITY, 11.0, 9.0];
        let points: Vec<HistoryPoint> = daily(&dirty).into_iter().filter(|point| point.value.is_finite()).collect();
        assert_eq!(forecast(&daily(&dirty), day(6)), forecast(&points, day(6)));
        assert_eq!(band(&clean).expected, 10.5);
        assert!(!band(&clean).contains(f64::NAN) && !band(&clean).contains(f64::INFINITY));
    }

    #[test]
    fn a_message_shows_the_band() {
        struct Flat;
        impl MetricHistory for Flat {
            fn points(&self, _: &str, _: Option<&str>, _: usize) -> Vec<HistoryPoint> {
                daily(&[1000.0; 4])
            }
        }
        let detection = detect(&Flat, "m", None, day(4), 1500.0);
        assert!(!detection.passed);
        let message = "Value: 1500.0 is not between 990.0 and 1010.0; 1000.0 was expected (level of 4 earlier values).";
        assert_eq!(detection.message.as_deref(), Some(message));
        assert_eq!(detect(&Flat, "m", None, day(4), 1001.0).message, None);
    }

    #[test]
    fn a_trend_is_followed() {
        let values: Vec<f64> = (0..20).map(|index| 100.0 + 10.0 * f64::from(index)).collect();
        let found = band(&values);
        assert_eq!(found.method, Method::Trend);
        assert!((found.expected - 300.0).abs() < 1e-6, "{found:?}");
        assert!(found.contains(301.0) && !found.contains(200.0) && !found.contains(400.0));
        // A line is not followed further than it was seen: after a year the level of 19 days later is expected.
        let Forecast::Band(late) = forecast(&daily(&values), day(385)) else { panic!() };
        assert!((late.expected - 480.0).abs() < 1e-6, "{late:?}");
    }

    #[test]
    fn weekends_are_weekends() {
        // Four weeks: 1000 on weekdays, 100 on Saturdays and Sundays, a little more each time.
        let values: Vec<f64> =
            (0..28).map(|index| if index % 7 < 5 { 1000.0 } else { 100.0 } + f64::from((index * 3) % 5)).collect();
        let monday = band(&values);
        assert_eq!(monday.method, Method::Weekday);
        assert!(monday.contains(1000.0) && !monday.contains(100.0), "{monday:?}");
        // Day 26 is a Saturday: three others were before it.
        let saturday = band(&values[..26]);
        assert!(saturday.contains(102.0) && !saturday.contains(1000.0), "{saturday:?}");
        // After two weeks the rhythm is not known.
        assert_eq!(band(&values[..14]).method, Method::Level);
        // The same values an hour apart have no weekdays.
        let hourly: Vec<HistoryPoint> = values
            .iter()
            .enumerate()
            .map(|(index, value)| HistoryPoint { at: day(0) + Duration::hours(index as i64), value: *value })
            .collect();
        assert!(!matches!(forecast(&hourly, day(2)), Forecast::Band(Band { method: Method::Weekday, .. })));
    }

    #[test]
    fn a_spike_is_found_and_forgotten() {
        let mut random = Random(7);
        let mut values: Vec<f64> = (0..28).map(|_| random.normal(1000.0, 20.0)).collect();
        let before = band(&values);
        assert!(!before.contains(1200.0) && !before.contains(800.0), "{before:?}");
        values.push(5000.0);
        let after = band(&values);
        assert!((after.expected - 1000.0).abs() < 20.0 && !after.contains(1200.0), "{after:?}");
    }

    #[test]
    fn a_new_level_is_an_alarm_until_it_is_known() {
        let mut random = Random(11);
        let mut values: Vec<f64> = (0..28).map(|_| random.normal(1000.0, 10.0)).collect();
        assert!(!band(&values).contains(1500.0));
        values.extend((0..28).map(|_| random.normal(1500.0, 10.0)));
        let after = band(&values);
        assert!((after.expected - 1500.0).abs() < 10.0 && !after.contains(1000.0), "{after:?}");
    }

    /// Numbers that look random: splitmix64, seeded.
    struct Random(u64);

    impl Random {
        fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }

        /// Box and Muller.
        fn normal(&mut self, mean: f64, sigma: f64) -> f64 {
            let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
            mean + sigma * radius * (std::f64::consts::TAU * self.uniform()).cos()
        }
    }

    type Series = fn(&mut Random, usize) -> f64;

    const WEEK: [f64; 7] = [1.0, 1.0, 1.0, 1.0, 1.0, 0.4, 0.3];
    const SERIES: [(&str, Series); 5] = [
        ("normal", |random, _| random.normal(1000.0, 20.0)),
        ("normal with a trend", |random, day| random.normal(1000.0 + 10.0 * day as f64, 20.0)),
        ("weekly", |random, day| random.normal(1000.0 * WEEK[day % 7], 20.0)),
        ("weekly with a trend", |random, day| random.normal((1000.0 + 5.0 * day as f64) * WEEK[day % 7], 20.0)),
        ("lognormal, sigma 0.2", |random, _| 1000.0 * random.normal(0.0, 0.2).exp()),
    ];

    /// The share of new values of a series that are alarms, in per cent.
    fn alarms(series: Series, points: usize, shift: f64) -> f64 {
        const RUNS: u32 = 500;
        let mut random = Random(42);
        let mut alarms = 0;
        for _ in 0..RUNS {
            let values: Vec<f64> = (0..points).map(|day| series(&mut random, day)).collect();
            let value = series(&mut random, points) + shift;
            alarms += u32::from(!band(&values).contains(value));
        }
        100.0 * f64::from(alarms) / f64::from(RUNS)
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "shows the figures at the top of this file")]
    fn false_alarms_are_rare() {
        for (name, series) in SERIES {
            let rates: Vec<f64> = [3, 8, 14, 28, 56].map(|points| alarms(series, points, 0.0)).to_vec();
            println!("{name}: {rates:?}");
            assert!(rates.iter().all(|rate| *rate <= 2.0), "{name}: {rates:?}");
        }
        // What is eight standard deviations off is found once two weeks are known; in a weekly rhythm once four are.
        let (_, normal) = SERIES[0];
        let (_, weekly) = SERIES[2];
        println!("found: {} {}", alarms(normal, 14, 160.0), alarms(weekly, 56, 160.0));
        assert!(alarms(normal, 14, 160.0) > 95.0 && alarms(weekly, 56, 160.0) > 95.0);
    }
}
