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

/// The quotes, commas and line feeds of a chunk; what a text of JSON cannot hold as it stands, backslashes and control
/// characters other than a line feed; and what is not ASCII.
pub(super) type JsonMasks = [u64; 5];

/// The greatest control character.
const CONTROL: u8 = 0x1F;

/// Takes the masks of a text, chunk by chunk.
pub(super) trait ChunkSink<const N: usize = 4> {
    /// Takes the masks of the 64 bytes at `base`. To be inlined always: only then is it compiled for what the processor has.
    fn take(&mut self, masks: [u64; N], base: usize);
}

/// Bits 0 to i of `bits`, added modulo 2, in each bit i: set from an opening quote on, up to where the closing one stands.
///
/// Source: Langdale and Lemire, "Parsing Gigabytes of JSON per Second" (2019), section 3.1.
#[inline(always)]
pub(super) fn running(bits: u64) -> u64 {
    let bits = bits ^ bits << 1;
    let bits = bits ^ bits << 2;
    let bits = bits ^ bits << 4;
    let bits = bits ^ bits << 8;
    let bits = bits ^ bits << 16;
    bits ^ bits << 32
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
        chunks(bytes, |chunk| masks_sse2(chunk, needles), sink)
    }
    #[cfg(target_arch = "aarch64")]
    return chunks(bytes, |chunk| masks_neon(chunk, needles), sink);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return chunks(bytes, |chunk| masks_scalar(chunk, needles), sink);
}

/// Gives `sink` the masks of every 64 bytes of JSON, as [`for_each_chunk`] does.
#[inline]
pub(super) fn for_each_chunk_of_json<S: ChunkSink<5>>(bytes: &[u8], sink: S) -> S {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("popcnt") {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { json_with_avx2(bytes, sink) };
        }
        chunks(bytes, json_sse2, sink)
    }
    #[cfg(target_arch = "aarch64")]
    return chunks(bytes, json_neon, sink);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return chunks(bytes, json_scalar, sink);
}

#[inline(always)]
fn chunks<const N: usize, S: ChunkSink<N>>(bytes: &[u8], masks: impl Fn(&[u8; LANES]) -> [u64; N], mut sink: S) -> S {
    let (whole, rest) = bytes.as_chunks::<LANES>();
    for (index, chunk) in whole.iter().enumerate() {
        sink.take(masks(chunk), index * LANES);
    }
    if !rest.is_empty() {
        let mut last = [0; LANES];
        last[..rest.len()].copy_from_slice(rest);
        let there = (1u64 << rest.len()) - 1;
        sink.take(masks(&last).map(|mask| mask & there), whole.len() * LANES);
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

/// The twin of the masks of JSON.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn json_scalar(chunk: &[u8; LANES]) -> JsonMasks {
    let mask =
        |is: fn(u8) -> bool| chunk.iter().enumerate().fold(0, |mask, (at, byte)| mask | (u64::from(is(*byte)) << at));
    let odd = |byte: u8| byte == b'\\' || (byte <= CONTROL && byte != b'\n');
    [
        mask(|byte| byte == b'"'),
        mask(|byte| byte == b','),
        mask(|byte| byte == b'\n'),
        mask(odd),
        mask(|byte| byte > 0x7F),
    ]
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

/// The masks of JSON by SSE2.
#[cfg(target_arch = "x86_64")]
#[inline]
fn json_sse2(chunk: &[u8; LANES]) -> JsonMasks {
    use std::arch::x86_64::{
        _mm_andnot_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    let mut masks = [0; 5];
    for part in 0..LANES / 16 {
        // SAFETY: SSE2 is part of the x86-64 baseline; the 16 bytes at `part * 16` lie within the 64 of `chunk`, and
        // `loadu` asks for no alignment.
        let bits = unsafe {
            let bytes = _mm_loadu_si128(chunk.as_ptr().add(part * 16).cast());
            let equal = |needle: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(needle.cast_signed()));
            let feeds = equal(b'\n');
            let controls = _mm_cmpeq_epi8(bytes, _mm_min_epu8(bytes, _mm_set1_epi8(CONTROL.cast_signed())));
            let odd = _mm_or_si128(equal(b'\\'), _mm_andnot_si128(feeds, controls));
            [equal(b'"'), equal(b','), feeds, odd, bytes].map(|bytes| _mm_movemask_epi8(bytes))
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
    chunks(bytes, |chunk| masks(chunk, needles), sink)
}

/// The masks of JSON by AVX2; see [`with_avx2`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn json_with_avx2<S: ChunkSink<5>>(bytes: &[u8], sink: S) -> S {
    use std::arch::x86_64::{
        _mm256_andnot_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8,
    };
    // Not by `map` of arrays: what is called through it is compiled for less.
    let half = |bytes| {
        let equal = |needle: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(needle.cast_signed()));
        let mask = |bytes| u64::from(_mm256_movemask_epi8(bytes) as u32);
        let feeds = equal(b'\n');
        let controls = _mm256_cmpeq_epi8(bytes, _mm256_min_epu8(bytes, _mm256_set1_epi8(CONTROL.cast_signed())));
        let odd = _mm256_or_si256(equal(b'\\'), _mm256_andnot_si256(feeds, controls));
        [mask(equal(b'"')), mask(equal(b',')), mask(feeds), mask(odd), mask(bytes)]
    };
    let masks = |chunk: &[u8; LANES]| {
        // SAFETY: both halves of 32 bytes lie within the 64 of `chunk`, and `loadu` asks for no alignment.
        let (low, high) = unsafe {
            let start = chunk.as_ptr();
            (half(_mm256_loadu_si256(start.cast())), half(_mm256_loadu_si256(start.add(32).cast())))
        };
        let mut masks = low;
        for (mask, high) in masks.iter_mut().zip(high) {
            *mask |= high << 32;
        }
        masks
    };
    chunks(bytes, masks, sink)
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

/// The masks of JSON by NEON.
#[cfg(target_arch = "aarch64")]
#[inline]
fn json_neon(chunk: &[u8; LANES]) -> JsonMasks {
    use std::arch::aarch64::{
        vaddv_u8, vandq_u8, vbicq_u8, vceqq_u8, vcgtq_u8, vcleq_u8, vdupq_n_u8, vget_high_u8, vget_low_u8, vld1q_u8,
        vorrq_u8,
    };
    const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    let mut masks = [0; 5];
    for part in 0..LANES / 16 {
        // SAFETY: NEON is part of the arm64 baseline; the 16 bytes at `part * 16` lie within the 64 of `chunk`.
        let bits = unsafe {
            let bytes = vld1q_u8(chunk.as_ptr().add(part * 16));
            let equal = |needle: u8| vceqq_u8(bytes, vdupq_n_u8(needle));
            let feeds = equal(b'\n');
            let controls = vcleq_u8(bytes, vdupq_n_u8(CONTROL));
            let odd = vorrq_u8(equal(b'\\'), vbicq_u8(controls, feeds));
            [equal(b'"'), equal(b','), feeds, odd, vcgtq_u8(bytes, vdupq_n_u8(0x7F))].map(|kind| {
                let hits = vandq_u8(kind, vld1q_u8(WEIGHTS.as_ptr()));
                u16::from(vaddv_u8(vget_low_u8(hits))) | (u16::from(vaddv_u8(vget_high_u8(hits))) << 8)
            })
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

    #[derive(Debug, PartialEq)]
    struct Found<const N: usize>(Vec<([u64; N], usize)>);

    impl<const N: usize> ChunkSink<N> for Found<N> {
        fn take(&mut self, masks: [u64; N], base: usize) {
            self.0.push((masks, base));
        }
    }

    fn found<const N: usize>(bytes: &[u8], masks: impl Fn(&[u8; LANES]) -> [u64; N]) -> Found<N> {
        chunks(bytes, masks, Found(Vec::new()))
    }

    proptest! {
        #[test]
        fn agrees_with_the_scalar_twin(bytes in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..200), a: u8, b in 0u8..8) {
            for needles in [[a, b, b'\n'], [b, b, b], [0, 1, 2]] {
                let expected = found(&bytes, |chunk| masks_scalar(chunk, needles));
                prop_assert_eq!(&for_each_chunk(&bytes, needles, Found(Vec::new())), &expected);
                #[cfg(target_arch = "x86_64")]
                prop_assert_eq!(found(&bytes, |chunk| masks_sse2(chunk, needles)), expected);
            }
        }

        #[test]
        fn masks_of_json_agree_with_the_scalar_twin(bytes in prop::collection::vec(prop_oneof![prop::sample::select(&b"\",\n\\\x1f\x20\x7f\x80"[..]), any::<u8>()], 0..200)) {
            let expected = found(&bytes, json_scalar);
            prop_assert_eq!(&for_each_chunk_of_json(&bytes, Found(Vec::new())), &expected);
            #[cfg(target_arch = "x86_64")]
            prop_assert_eq!(found(&bytes, json_sse2), expected);
        }

        #[test]
        fn running_is_a_parity(bits: u64) {
            let parity = |at: u32| (bits << (63 - at)).count_ones() % 2;
            prop_assert_eq!(running(bits), (0..64).fold(0, |sum, at| sum | u64::from(parity(at)) << at));
        }
    }
}
