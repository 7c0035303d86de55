//! Which of rising numbers do not follow one another directly.

/// Sets bit `i` of `bits` where `numbers[i] + 1 != numbers[i + 1]`, and clears all others; there is room for as many.
#[inline]
pub(crate) fn apart(numbers: &[u32], bits: &mut [u64]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { apart_avx2(numbers, bits) };
    }
    apart_scalar(numbers, bits);
}

fn apart_scalar(numbers: &[u32], bits: &mut [u64]) {
    let mut pairs = numbers.windows(2);
    for word in bits {
        let each = pairs.by_ref().take(64).enumerate();
        *word = each.fold(0, |word, (at, pair)| word | u64::from(pair[0].wrapping_add(1) != pair[1]) << at);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn apart_avx2(numbers: &[u32], bits: &mut [u64]) {
    use std::arch::x86_64::{
        _mm256_add_epi32, _mm256_castsi256_ps, _mm256_cmpeq_epi32, _mm256_loadu_si256, _mm256_movemask_ps,
        _mm256_set1_epi32,
    };
    let mut rest = numbers;
    let mut bits = bits.iter_mut();
    while let Some(pairs) = rest.first_chunk::<65>()
        && let Some(word) = bits.next()
    {
        *word = 0;
        for at in (0..64).step_by(8) {
            // SAFETY: `pairs` has 65 numbers, of which those from `at` on and from `at + 1` on are read, eight each; `loadu` asks
            // for no alignment.
            let [these, next] = unsafe {
                let start = pairs.as_ptr().add(at);
                [_mm256_loadu_si256(start.cast()), _mm256_loadu_si256(start.add(1).cast())]
            };
            let follow = _mm256_cmpeq_epi32(_mm256_add_epi32(these, _mm256_set1_epi32(1)), next);
            *word |= u64::from(!_mm256_movemask_ps(_mm256_castsi256_ps(follow)) as u8) << at;
        }
        rest = rest.get(64..).unwrap_or_default();
    }
    apart_scalar(rest, bits.into_slice());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_the_scalar_twin(steps in prop::collection::vec(prop_oneof![3 => Just(1u32), 1 => any::<u32>()], 0..300)) {
            let sum = |sum: &mut u32, step: u32| {
                *sum = sum.wrapping_add(step);
                Some(*sum)
            };
            let numbers: Vec<u32> = std::iter::once(u32::MAX).chain(steps.iter().copied().scan(u32::MAX, sum)).collect();
            let (mut found, mut expected) = ([u64::MAX; 5], [u64::MAX; 5]);
            apart(&numbers, &mut found);
            apart_scalar(&numbers, &mut expected);
            prop_assert_eq!(found, expected);
            for (at, step) in steps.iter().enumerate() {
                prop_assert_eq!(found[at / 64] >> (at % 64) & 1 == 1, *step != 1);
            }
        }
    }
}
