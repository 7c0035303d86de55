//! Finds bytes of interest, 64 at a time.
//!
//! The one module with `unsafe`: the loads that vector instructions need, and the call of code for what the processor was
//! found to have. Every implementation is held against the scalar twin by a property test.
#![allow(unsafe_code)]

/// Bytes looked at together.
const LANES: usize = 64;

/// A bit for each byte of a chunk that equals each of three needles, and, last, for each that is not ASCII; bit 0 is the first
/// byte.
pub(super) type Masks = [u64; 4];

/// Takes the masks of a text, chunk by chunk.
pub(super) trait ChunkSink {
    /// Takes the masks of the 64 bytes at `base`. To be inlined always: only then is it compiled for what the processor has.
    fn take(&mut self, masks: Masks, base: usize);
}

/// Gives `sink` the masks of every 64 bytes. Bits behind the end are not set. The sink comes and goes by value, so that it
/// lives in registers meanwhile.
#[inline]
pub(super) fn for_each_chunk<S: ChunkSink>(bytes: &[u8], needles: [u8; 3], sink: S) -> S {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("popcnt") {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { with_avx2(bytes, needles, sink) };
        }
        chunks(bytes, needles, masks_sse2, sink)
    }
    #[cfg(target_arch = "aarch64")]
    return chunks(bytes, needles, masks_neon, sink);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return chunks(bytes, needles, masks_scalar, sink);
}

#[inline(always)]
fn chunks<S: ChunkSink>(
    bytes: &[u8],
    needles: [u8; 3],
    masks: impl Fn(&[u8; LANES], [u8; 3]) -> Masks,
    mut sink: S,
) -> S {
    let (whole, rest) = bytes.as_chunks::<LANES>();
    for (index, chunk) in whole.iter().enumerate() {
        sink.take(masks(chunk, needles), index * LANES);
    }
    if !rest.is_empty() {
        let mut last = [0; LANES];
        last[..rest.len()].copy_from_slice(rest);
        let there = (1u64 << rest.len()) - 1;
        sink.take(masks(&last, needles).map(|mask| mask & there), whole.len() * LANES);
    }
    sink
}

/// The twin that says what the others must say.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn masks_scalar(chunk: &[u8; LANES], needles: [u8; 3]) -> Masks {
    let mask =
        |needle: u8| chunk.iter().enumerate().fold(0, |mask, (at, byte)| mask | (u64::from(*byte == needle) << at));
    let [a, b, c] = needles.map(mask);
    let high = chunk.iter().enumerate().fold(0, |mask, (at, byte)| mask | (u64::from(!byte.is_ascii()) << at));
    [a, b, c, high]
}

/// SSE2 is part of every x86-64 processor.
#[cfg(target_arch = "x86_64")]
#[inline]
fn masks_sse2(chunk: &[u8; LANES], needles: [u8; 3]) -> Masks {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8};
    let mut masks = [0; 4];
    for part in 0..LANES / 16 {
        // SAFETY: SSE2 is part of the x86-64 baseline; the 16 bytes at `part * 16` lie within the 64 of `chunk`, and
        // `loadu` asks for no alignment.
        let bits = unsafe {
            let bytes = _mm_loadu_si128(chunk.as_ptr().add(part * 16).cast());
            let mask = |needle: u8| _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(needle.cast_signed())));
            [mask(needles[0]), mask(needles[1]), mask(needles[2]), _mm_movemask_epi8(bytes)]
        };
        for (mask, bits) in masks.iter_mut().zip(bits) {
            *mask |= u64::from(bits as u32) << (part * 16);
        }
    }
    masks
}

/// All that is called within is compiled for these features, too: counting bits and finding the next one are instructions
/// then.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn with_avx2<S: ChunkSink>(bytes: &[u8], needles: [u8; 3], sink: S) -> S {
    use std::arch::x86_64::{_mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8};
    let masks = |chunk: &[u8; LANES], needles: [u8; 3]| {
        // SAFETY: the caller's processor has AVX2; both halves of 32 bytes lie within the 64 of `chunk`, and `loadu` asks
        // for no alignment.
        unsafe {
            let low = _mm256_loadu_si256(chunk.as_ptr().cast());
            let high = _mm256_loadu_si256(chunk.as_ptr().add(32).cast());
            let both = |low: i32, high: i32| u64::from(low as u32) | u64::from(high as u32) << 32;
            let mask = |needle: u8| {
                let needle = _mm256_set1_epi8(needle.cast_signed());
                let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, needle));
                both(low, _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, needle)))
            };
            let not_ascii = both(_mm256_movemask_epi8(low), _mm256_movemask_epi8(high));
            [mask(needles[0]), mask(needles[1]), mask(needles[2]), not_ascii]
        }
    };
    chunks(bytes, needles, masks, sink)
}

/// NEON is part of every arm64 processor.
#[cfg(target_arch = "aarch64")]
#[inline]
fn masks_neon(chunk: &[u8; LANES], needles: [u8; 3]) -> Masks {
    use std::arch::aarch64::{vaddv_u8, vandq_u8, vceqq_u8, vcgeq_u8, vdupq_n_u8, vget_high_u8, vget_low_u8, vld1q_u8};
    const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    let mut masks = [0; 4];
    for part in 0..LANES / 16 {
        // SAFETY: NEON is part of the arm64 baseline; the 16 bytes at `part * 16` lie within the 64 of `chunk`.
        let bits = unsafe {
            let bytes = vld1q_u8(chunk.as_ptr().add(part * 16));
            let weights = vld1q_u8(WEIGHTS.as_ptr());
            let bits = |hits| {
                let hits = vandq_u8(hits, weights);
                u16::from(vaddv_u8(vget_low_u8(hits))) | (u16::from(vaddv_u8(vget_high_u8(hits))) << 8)
            };
            let [a, b, c] = needles.map(|needle| bits(vceqq_u8(bytes, vdupq_n_u8(needle))));
            [a, b, c, bits(vcgeq_u8(bytes, vdupq_n_u8(0x80)))]
        };
        for (mask, bits) in masks.iter_mut().zip(bits) {
            *mask |= u64::from(bits) << (part * 16);
        }
    }
    masks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Found(Vec<(Masks, usize)>);

    impl ChunkSink for Found {
        fn take(&mut self, masks: Masks, base: usize) {
            self.0.push((masks, base));
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_scalar_twin(bytes in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..200), a: u8, b in 0u8..8) {
            for needles in [[a, b, b'\n'], [b, b, b], [0, 1, 2]] {
                let expected = chunks(&bytes, needles, masks_scalar, Found::default());
                prop_assert_eq!(&for_each_chunk(&bytes, needles, Found::default()), &expected);
                #[cfg(target_arch = "x86_64")]
                prop_assert_eq!(chunks(&bytes, needles, masks_sse2, Found::default()), expected);
            }
        }
    }
}
