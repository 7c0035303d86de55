"""Steps over dates and times: each on random rows beside what its page says, written in Python."""

import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from transforms import DATE, STAMP, cases, on, put, random_rows, same_rows, step, transform

ROWS = random_rows(23)
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
PARTS = {
    "year": lambda x: x.year,
    "quarter": lambda x: (x.month + 2) // 3,
    "month": lambda x: x.month,
    "week": lambda x: x.isocalendar().week,
    "day": lambda x: x.day,
    "day_of_week": lambda x: x.isoweekday() % 7 + 1,
    "day_of_year": lambda x: x.timetuple().tm_yday,
    "month_name": lambda x: MONTHS[x.month - 1],
    "day_name": lambda x: WEEKDAYS[x.weekday()],
}
CLOCK = {"hour": lambda x: x.hour, "minute": lambda x: x.minute, "second": lambda x: x.second}


def midnight(value):
    return value if isinstance(value, STAMP) else STAMP(value.year, value.month, value.day)


def whole(number, unit):
    return abs(number) // unit * (1 if number >= 0 else -1)


def months_between(start, end):
    """As java.time counts them: a last day that is not over is none, and then whole months of the calendar."""
    day = end.date()
    if day > start.date() and end.time() < start.time():
        day -= timedelta(days=1)
    elif day < start.date() and end.time() > start.time():
        day += timedelta(days=1)
    packed = [(x.year * 12 + x.month) * 32 + x.day for x in (start, day)]
    return whole(packed[1] - packed[0], 32)


def passed(unit):
    seconds = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 7 * 86400}

    def between(start, end):
        if start is None or end is None:
            return None
        start, end = midnight(start), midnight(end)
        if unit in ("months", "years"):
            return whole(months_between(start, end), 12 if unit == "years" else 1)
        return whole((end - start) // timedelta(microseconds=1), seconds[unit] * 10**6)

    return between


def difference(start, end, *units):
    steps = [{"date_difference": {"from": start, "to": end, "unit": unit, "as": unit}} for unit in units]
    return steps, put(**{unit: lambda row, unit=unit: passed(unit)(row[start], row[end]) for unit in units})


def moved(amount, unit):
    def change(value):
        if unit not in ("months", "years"):
            return value + timedelta(**{unit: amount})
        month = value.year * 12 + value.month - 1 + (amount * 12 if unit == "years" else amount)
        year, month = divmod(month, 12)
        last = (DATE(year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
        return value.replace(year=year, month=month + 1, day=min(value.day, last))

    return change


def added(column, amount, unit):
    return [{"date_add": {"column": column, "amount": amount, "unit": unit}}], put(**{column: on(column, moved(amount, unit))})


def zone(name, back=False):
    place, utc = ZoneInfo(name), datetime.UTC

    def change(value):
        if back:
            return value.replace(tzinfo=place).astimezone(utc).replace(tzinfo=None)
        return value.replace(tzinfo=utc).astimezone(place).replace(tzinfo=None)

    return change


def no_fold(change):
    return lambda value: change(value).replace(fold=0)


FORMATS = {
    "yyyy-MM-dd HH:mm:ss.SSS": lambda x: f"{x:%Y-%m-%d %H:%M:%S}.{x.microsecond // 1000:03}",
    "dd/MM/yy": lambda x: f"{x:%d/%m/%y}",
    "EEE, d MMM yyyy h:mm a": lambda x: (
        f"{WEEKDAYS[x.weekday()][:3]}, {x.day} {MONTHS[x.month - 1][:3]} {x.year} {(x.hour + 11) % 12 + 1}:{x:%M} {'AM' if x.hour < 12 else 'PM'}"
    ),
    "EEEE 'the' d. MMMM": lambda x: f"{WEEKDAYS[x.weekday()]} the {x.day}. {MONTHS[x.month - 1]}",
    "hh:mm:ss.SSSSSS a": lambda x: f"{(x.hour + 11) % 12 + 1:02}:{x:%M:%S}.{x.microsecond:06} {'AM' if x.hour < 12 else 'PM'}",
}

DATES = {
    "parts of a date": (
        step("date_parts", column="day", parts=list(PARTS)),
        put(**{f"day_{part}": on("day", make) for part, make in PARTS.items()}),
    ),
    "parts of a timestamp": (
        step("date_parts", column="at", parts={part: f"p {part}" for part in {**PARTS, **CLOCK}}),
        put(**{f"p {part}": on("at", make) for part, make in {**PARTS, **CLOCK}.items()}),
    ),
    "difference of dates": difference("day", "until", "days", "weeks", "months", "years", "hours"),
    "difference of timestamps": difference("at", "end", "seconds", "minutes", "hours", "days", "weeks"),
    "months between timestamps": difference("at", "end", "months", "years"),
    "difference of both": difference("day", "end", "days", "seconds"),
    "days": added("day", 31, "days"),
    "weeks back": added("day", -3, "weeks"),
    "a month": added("day", 1, "months"),
    "months back": added("day", -13, "months"),
    "years": added("day", -4, "years"),
    "months of a timestamp": added("at", 7, "months"),
    "years of a timestamp": added("at", 1, "years"),
    "minutes": added("at", -90, "minutes"),
    "seconds": added("at", 86399, "seconds"),
    "hours": added("at", 25, "hours"),
    "days of a timestamp": added("at", -1, "days"),
    "into a column": (
        [{"date_add": {"column": "day", "amount": 2, "unit": "days", "as": "later"}}],
        put(later=on("day", lambda x: x + timedelta(2))),
    ),
    **{
        f"format {pattern}": (step("format_date", column="at", format=pattern, **{"as": "f"}), put(f=on("at", make)))
        for pattern, make in FORMATS.items()
    },
    "format a date": (step("format_date", column="day", format="yyyyMMdd"), put(day=on("day", lambda x: f"{x:%Y%m%d}"))),
    "to Paris": (
        step("convert_timezone", columns=["at", "end"], to="Europe/Paris"),
        put(at=on("at", no_fold(zone("Europe/Paris"))), end=on("end", no_fold(zone("Europe/Paris")))),
    ),
    "from New York": (
        step("convert_timezone", columns="at", from_="America/New_York"),
        put(at=on("at", zone("America/New_York", back=True))),
    ),
    "from Paris to Kolkata": (
        step("convert_timezone", columns="at", from_="Europe/Paris", to="Asia/Kolkata"),
        put(at=on("at", lambda x: zone("Asia/Kolkata")(zone("Europe/Paris", back=True)(x)))),
    ),
    "by an offset": (
        step("convert_timezone", columns="at", from_="-03:30", to="+01:00"),
        put(at=on("at", lambda x: x + timedelta(hours=4, minutes=30))),
    ),
}

WRONG: dict[str, str] = {}
CASES = cases({"date": DATES}, WRONG)


@pytest.mark.parametrize(("steps", "expected"), CASES.values())
def test_step(tmp_path, steps, expected):
    same_rows(transform(tmp_path, steps, ROWS).rows, expected(ROWS))


def test_months_within_the_month(tmp_path):
    rows = [row for row in ROWS if row["at"] and row["end"] and row["at"].day <= 28 and 1 < row["end"].day < 28]
    steps, expected = difference("at", "end", "months", "years")
    assert len(rows) > 20
    same_rows(transform(tmp_path, steps, rows).rows, expected(rows))


def written_dates():
    """Texts of dates, some of them wrong, and what they are by the patterns `dd/MM/yyyy`, `d MMM yy` and `yyyy-MM-dd`."""
    rows = []
    for at, row in enumerate(row for row in ROWS if row["day"]):
        day = row["day"]
        short = 2000 <= day.year <= 2099
        forms = [
            (f"{day:%d/%m/%Y}", day),
            (f"{day.day} {MONTHS[day.month - 1][:3]} {day:%y}", day if short else day.replace(year=2000 + day.year % 100)),
            (day.isoformat(), day),
            (f"{day:%d/%m/%Y} ", None),
            (f"{day:%d-%m-%Y}", None),
            (f"{day:%Y}-02-30", None),
            (f"x{day.isoformat()}", None),
            ("", None),
            (None, None),
        ]
        if not short and day.month == 2 and day.day == 29 and day.year % 100 == 0:
            continue
        rows.append(forms[at % len(forms)])
    return rows


def test_parse_dates(tmp_path):
    rows = written_dates()
    steps = [{"parse_date": {"column": "text", "formats": ["dd/MM/yyyy", "d MMM yy", "yyyy-MM-dd"], "as": "day"}}]
    done = transform(
        tmp_path,
        steps,
        [{"id": at, "text": written} for at, (written, _) in enumerate(rows)],
        {"id": "bigint", "text": "string"},
    )
    same_rows(done.rows, [{"id": at, "text": written, "day": day} for at, (written, day) in enumerate(rows)])


def test_parse_timestamps(tmp_path):
    times = [row["at"] for row in ROWS if row["at"]]
    forms = {
        "yyyy-MM-dd HH:mm:ss.SSSSSS": lambda x: (f"{x:%Y-%m-%d %H:%M:%S}.{x.microsecond:06}", x),
        "dd.MM.yyyy h:mm a": lambda x: (FORMATS["EEE, d MMM yyyy h:mm a"](x).split(" ", 4), x.replace(second=0, microsecond=0)),
        "yyyyMMddHHmm": lambda x: (f"{x:%Y%m%d%H%M}", x.replace(second=0, microsecond=0)),
    }
    rows = []
    for at, time in enumerate(times):
        name = list(forms)[at % len(forms)]
        made, value = forms[name](time)
        rows.append((f"{time:%d.%m.%Y} {made[-1]}" if isinstance(made, list) else made, value))
    rows += [("2024-02-29 24:00:00.000000", None), ("29.02.2024 13:00 PM", None), ("2024-02-29", None)]
    steps = [{"parse_date": {"column": "text", "formats": list(forms), "to": "timestamp"}}]
    done = transform(
        tmp_path,
        steps,
        [{"id": at, "text": written} for at, (written, _) in enumerate(rows)],
        {"id": "bigint", "text": "string"},
    )
    same_rows(done.rows, [{"id": at, "text": value} for at, (_, value) in enumerate(rows)])


def test_parse_names_in_any_case(tmp_path):
    times = {"09-FEB-2024 10:30 pm": STAMP(2024, 2, 9, 22, 30), "09-feb-2024 12:05 AM": STAMP(2024, 2, 9, 0, 5)}
    times |= {"31-Dec-1999 12:00 Pm": STAMP(1999, 12, 31, 12), "SEPTEMBER 3 2024": STAMP(2024, 9, 3), "september 3 2024": STAMP(2024, 9, 3)}
    times |= {"09-FEV-2024 10:30 pm": None, "09-FEB-2024 10:30 xm": None, "SEPT 3 2024": None}
    rows = [{"id": at, "text": text} for at, text in enumerate(times)]
    steps = [{"parse_date": {"column": "text", "formats": ["dd-MMM-yyyy hh:mm a", "MMMM d yyyy"], "to": "timestamp"}}]
    out = transform(tmp_path, steps, rows, {"id": "int", "text": "string"})
    same_rows(out.rows, [{"id": at, "text": time} for at, time in enumerate(times.values())])
