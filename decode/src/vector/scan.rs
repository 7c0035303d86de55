//! Finds bytes of interest, many at a time.

/// Bytes looked at together.
const LANES: usize = 64;

/// A bit for each byte of a chunk that equals each of three needles, and, last, for each that is not ASCII; bit 0 is the first
/// byte.
pub(crate) type Masks = [u64; 4];

/// Bytes of a text of JSON looked at together, and of a number.
pub(crate) const TEXT_LANES: usize = 32;
pub(crate) const NUMBER_LANES: usize = 16;

/// The greatest control character.
const CONTROL: u8 = 0x1F;

/// Takes the masks of a text, chunk by chunk.
pub(crate) trait ChunkSink {
    /// Takes the masks of the 64 bytes at `base`. To be inlined always: only then is it compiled for what the processor has.
    fn take(&mut self, masks: Masks, base: usize, positions: impl Positions);
}

/// Positions that are written down at once, wanted or not: to ask after each costs more. Of the ends of fields of five bytes
/// there are seldom more in 64 bytes.
const AT_ONCE: usize = 12;
/// And so many at a time where there are more.
const MORE_AT_ONCE: usize = 8;
/// Room for all positions that are written down of 64 bytes.
pub(crate) const ROOM: usize = LANES + AT_ONCE;

/// Writes down which bits are set, by what the processor has.
pub(crate) trait Positions: Copy {
    /// Writes `base` and the position of each set bit of `bits`, added, to the first of `slots`, in order. What is written behind
    /// them has no meaning.
    fn write(self, bits: u64, base: u32, slots: &mut [u32; ROOM]);
}

/// Finds one bit after the other.
#[derive(Clone, Copy)]
struct OneByOne;

impl Positions for OneByOne {
    #[inline(always)]
    fn write(self, mut bits: u64, base: u32, slots: &mut [u32; ROOM]) {
        let found = bits.count_ones() as usize;
        let mut next = || {
            let at = base + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
            at
        };
        let (first, rest) = slots.split_at_mut(AT_ONCE);
        for slot in first {
            *slot = next();
        }
        if found > AT_ONCE {
            for more in rest.chunks_exact_mut(MORE_AT_ONCE).take((found - AT_ONCE).div_ceil(MORE_AT_ONCE)) {
                for slot in more {
                    *slot = next();
                }
            }
        }
    }
}

/// Bits 0 to i of `bits`, added modulo 2, in each bit i: set from an opening quote on, up to where the closing one stands.
///
/// Source: Langdale and Lemire, "Parsing Gigabytes of JSON per Second" (2019), section 3.1.
#[inline(always)]
pub(crate) fn running(bits: u64) -> u64 {
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
pub(crate) fn for_each_chunk<S: ChunkSink>(bytes: &[u8], needles: [u8; 3], sink: S) -> S {
    #[cfg(target_arch = "x86_64")]
    {
        if avx512::is_available() {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { avx512::for_each_chunk(bytes, needles, sink) };
        }
        if has_avx2() {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { with_avx2(bytes, needles, sink) };
        }
        chunks(bytes, |chunk| masks_sse2(chunk, needles), OneByOne, sink)
    }
    #[cfg(target_arch = "aarch64")]
    return chunks(bytes, |chunk| masks_neon(chunk, needles), OneByOne, sink);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return chunks(bytes, |chunk| masks_scalar(chunk, needles), OneByOne, sink);
}

#[inline(always)]
fn chunks<S: ChunkSink>(
    bytes: &[u8],
    masks: impl Fn(&[u8; LANES]) -> Masks,
    positions: impl Positions,
    mut sink: S,
) -> S {
    let (whole, rest) = bytes.as_chunks::<LANES>();
    for (index, chunk) in whole.iter().enumerate() {
        sink.take(masks(chunk), index * LANES, positions);
    }
    if !rest.is_empty() {
        let mut last = [0; LANES];
        last[..rest.len()].copy_from_slice(rest);
        let there = (1u64 << rest.len()) - 1;
        sink.take(masks(&last).map(|mask| mask & there), whole.len() * LANES, positions);
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

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("popcnt")
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
    chunks(bytes, |chunk| masks(chunk, needles), OneByOne, sink)
}

/// Where the processor has AVX-512 with VBMI2 the comparisons give the masks, and positions are packed bytes.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{ChunkSink, LANES, Masks, Positions, ROOM, chunks};

    pub(super) fn is_available() -> bool {
        is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,popcnt")]
    pub(super) fn for_each_chunk<S: ChunkSink>(bytes: &[u8], needles: [u8; 3], sink: S) -> S {
        let masks = |chunk: &[u8; LANES]| -> Masks {
            // SAFETY: `chunk` has 64 bytes, and `loadu` asks for no alignment.
            let bytes = unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) };
            let [a, b, c] = needles.map(|needle| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(needle.cast_signed())));
            [a, b, c, _mm512_movepi8_mask(bytes)]
        };
        chunks(bytes, masks, Packed, sink)
    }

    /// All positions at once.
    #[derive(Clone, Copy)]
    struct Packed;

    impl Positions for Packed {
        #[inline(always)]
        fn write(self, bits: u64, base: u32, slots: &mut [u32; ROOM]) {
            // SAFETY: there is a `Packed` only within what is compiled for the same features, which the processor has.
            unsafe { write(bits, base, slots) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,popcnt")]
    fn write(bits: u64, base: u32, slots: &mut [u32; ROOM]) {
        const EACH: usize = 16;
        let all: [i8; LANES] = std::array::from_fn(|at| at as i8);
        // SAFETY: `all` has 64 bytes, and `loadu` asks for no alignment.
        let all = unsafe { _mm512_loadu_si512(all.as_ptr().cast()) };
        let mut packed = _mm512_maskz_compress_epi8(bits, all);
        let found = bits.count_ones() as usize;
        for (index, slots) in slots.as_chunks_mut::<EACH>().0.iter_mut().enumerate() {
            let positions = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed));
            let positions = _mm512_add_epi32(positions, _mm512_set1_epi32(base.cast_signed()));
            // SAFETY: `slots` has 64 bytes, and `storeu` asks for no alignment.
            unsafe { _mm512_storeu_si512(slots.as_mut_ptr().cast(), positions) };
            if found <= (index + 1) * EACH {
                return;
            }
            packed = _mm512_alignr_epi32::<4>(packed, packed);
        }
    }
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

/// Of a text of JSON a bit for each byte that it cannot hold as it stands (a quote, a backslash, a control character), and one
/// for each that is not ASCII; bit 0 is the first byte.
#[inline(always)]
pub(crate) fn text_masks(chunk: &[u8; TEXT_LANES]) -> [u32; 2] {
    #[cfg(target_arch = "x86_64")]
    return text_masks_sse2(chunk);
    #[cfg(target_arch = "aarch64")]
    return text_masks_neon(chunk);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return text_masks_scalar(chunk);
}

/// A bit for each byte that is a digit.
#[inline(always)]
pub(crate) fn digits(chunk: &[u8; NUMBER_LANES]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    return digits_sse2(chunk);
    #[cfg(target_arch = "aarch64")]
    return digits_neon(chunk);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return digits_scalar(chunk);
}

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn text_masks_scalar(chunk: &[u8; TEXT_LANES]) -> [u32; 2] {
    let mask =
        |is: fn(u8) -> bool| chunk.iter().enumerate().fold(0, |mask, (at, byte)| mask | (u32::from(is(*byte)) << at));
    [mask(|byte| matches!(byte, b'"' | b'\\' | 0..=CONTROL)), mask(|byte| !byte.is_ascii())]
}

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn digits_scalar(chunk: &[u8; NUMBER_LANES]) -> u32 {
    chunk.iter().enumerate().fold(0, |mask, (at, byte)| mask | (u32::from(byte.is_ascii_digit()) << at))
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn text_masks_sse2(chunk: &[u8; TEXT_LANES]) -> [u32; 2] {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    let mut masks = [0; 2];
    for part in 0..TEXT_LANES / 16 {
        // SAFETY: SSE2 is part of the x86-64 baseline; the 16 bytes at `part * 16` lie within the 32 of `chunk`, and
        // `loadu` asks for no alignment.
        let (special, high) = unsafe {
            let bytes = _mm_loadu_si128(chunk.as_ptr().add(part * 16).cast());
            let equal = |needle: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(needle.cast_signed()));
            let controls = _mm_cmpeq_epi8(bytes, _mm_min_epu8(bytes, _mm_set1_epi8(CONTROL.cast_signed())));
            let special = _mm_or_si128(_mm_or_si128(equal(b'"'), equal(b'\\')), controls);
            (_mm_movemask_epi8(special), _mm_movemask_epi8(bytes))
        };
        masks[0] |= (special as u32) << (part * 16);
        masks[1] |= (high as u32) << (part * 16);
    }
    masks
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn digits_sse2(chunk: &[u8; NUMBER_LANES]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_set1_epi8, _mm_sub_epi8,
    };
    // SAFETY: SSE2 is part of the x86-64 baseline; `chunk` has 16 bytes, and `loadu` asks for no alignment.
    unsafe {
        let bytes = _mm_loadu_si128(chunk.as_ptr().cast());
        let values = _mm_sub_epi8(bytes, _mm_set1_epi8(b'0'.cast_signed()));
        _mm_movemask_epi8(_mm_cmpeq_epi8(values, _mm_min_epu8(values, _mm_set1_epi8(9)))) as u32
    }
}

/// A bit for each byte of which all bits are set; the others have none.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn bits_neon(bytes: std::arch::aarch64::uint8x16_t) -> u32 {
    use std::arch::aarch64::{vaddv_u8, vandq_u8, vget_high_u8, vget_low_u8, vld1q_u8};
    const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: NEON is part of the arm64 baseline; there are 16 weights.
    unsafe {
        let hits = vandq_u8(bytes, vld1q_u8(WEIGHTS.as_ptr()));
        u32::from(vaddv_u8(vget_low_u8(hits))) | (u32::from(vaddv_u8(vget_high_u8(hits))) << 8)
    }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn text_masks_neon(chunk: &[u8; TEXT_LANES]) -> [u32; 2] {
    use std::arch::aarch64::{vceqq_u8, vcgeq_u8, vcleq_u8, vdupq_n_u8, vld1q_u8, vorrq_u8};
    let mut masks = [0; 2];
    for part in 0..TEXT_LANES / 16 {
        // SAFETY: NEON is part of the arm64 baseline; the 16 bytes at `part * 16` lie within the 32 of `chunk`.
        let (special, high) = unsafe {
            let bytes = vld1q_u8(chunk.as_ptr().add(part * 16));
            let equal = |needle: u8| vceqq_u8(bytes, vdupq_n_u8(needle));
            let special = vorrq_u8(vorrq_u8(equal(b'"'), equal(b'\\')), vcleq_u8(bytes, vdupq_n_u8(CONTROL)));
            (special, vcgeq_u8(bytes, vdupq_n_u8(0x80)))
        };
        masks[0] |= bits_neon(special) << (part * 16);
        masks[1] |= bits_neon(high) << (part * 16);
    }
    masks
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn digits_neon(chunk: &[u8; NUMBER_LANES]) -> u32 {
    use std::arch::aarch64::{vcleq_u8, vdupq_n_u8, vld1q_u8, vsubq_u8};
    // SAFETY: NEON is part of the arm64 baseline; `chunk` has 16 bytes.
    bits_neon(unsafe {
        let values = vsubq_u8(vld1q_u8(chunk.as_ptr()), vdupq_n_u8(b'0'));
        vcleq_u8(values, vdupq_n_u8(9))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Found(Vec<(Masks, Vec<u32>)>);

    impl ChunkSink for Found {
        fn take(&mut self, masks: Masks, base: usize, positions: impl Positions) {
            let mut slots = [0; ROOM];
            positions.write(masks[0], base as u32, &mut slots);
            self.0.push((masks, slots[..masks[0].count_ones() as usize].to_vec()));
        }
    }

    fn found(bytes: &[u8], masks: impl Fn(&[u8; LANES]) -> Masks) -> Found {
        chunks(bytes, masks, OneByOne, Found(Vec::new()))
    }

    proptest! {
        #[test]
        fn agrees_with_the_scalar_twin(bytes in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..200), a: u8, b in 0u8..8) {
            for needles in [[a, b, b'\n'], [b, b, b], [0, 1, 2]] {
                let expected = found(&bytes, |chunk| masks_scalar(chunk, needles));
                prop_assert_eq!(&for_each_chunk(&bytes, needles, Found(Vec::new())), &expected);
                #[cfg(target_arch = "x86_64")]
                {
                    prop_assert_eq!(&found(&bytes, |chunk| masks_sse2(chunk, needles)), &expected);
                    if has_avx2() {
                        // SAFETY: the processor has what the function is compiled for.
                        prop_assert_eq!(unsafe { with_avx2(&bytes, needles, Found(Vec::new())) }, expected);
                    }
                }
            }
        }

        #[test]
        fn masks_of_json_agree_with_their_scalar_twins(
            text in prop::array::uniform32(prop_oneof![prop::sample::select(&b"\"\\\n\x1F\x20\x7F\x80"[..]), any::<u8>()]),
            number in prop::array::uniform16(prop_oneof![3 => prop::sample::select(&b"0123456789./:"[..]), 1 => any::<u8>()]),
        ) {
            prop_assert_eq!(text_masks(&text), text_masks_scalar(&text));
            prop_assert_eq!(digits(&number), digits_scalar(&number));
        }

        #[test]
        fn running_is_a_parity(bits: u64) {
            let parity = |at: u32| (bits << (63 - at)).count_ones() % 2;
            prop_assert_eq!(running(bits), (0..64).fold(0, |sum, at| sum | u64::from(parity(at)) << at));
        }
    }
}
