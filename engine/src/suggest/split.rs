//! Which rows are held out: a function of the row number alone, so that the same file always gives the same rules.

/// Whether the row is held out, for a `share` from 0 to 1 of all rows.
pub(super) fn held_out(row: u64, share: f64) -> bool {
    // The top 53 bits make an exact double in 0..1.
    ((mix(row) >> 11) as f64) / ((1u64 << 53) as f64) < share
}

/// The finalizer of SplitMix64: neighbours in, unrelated numbers out.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_splitmix64_seeded_with_0() {
        // From the reference implementation, https://prng.di.unimi.it/splitmix64.c with x = 0.
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn about_the_share_is_held_out() {
        for share in [0.0, 0.2, 0.5] {
            let held = (0..100_000).filter(|row| held_out(*row, share)).count() as f64;
            // Five standard deviations of a binomial.
            assert!((held - share * 1e5).abs() <= 5.0 * (1e5 * share * (1.0 - share)).sqrt(), "{share}: {held}");
        }
    }
}
