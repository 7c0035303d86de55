//! Finds bytes of interest, 64 at a time.
//!
//! The one module with `unsafe`: the loads that vector instructions need. Every implementation is held against the scalar
//! twin by a property test.
#![allow(unsafe_code)]

/// Bytes looked at together.
pub(super) const LANES: usize = 64;

/// A bit for each byte of `chunk` that equals one of `needles`; bit 0 is the first byte.
#[inline]
pub(super) fn mask(chunk: &[u8; LANES], needles: [u8; 3]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        mask_sse2(chunk, needles)
    }
    #[cfg(target_arch = "aarch64")]
    {
        mask_neon(chunk, needles)
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        mask_scalar(chunk, needles)
    }
}

/// The twin that says what the others must say.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn mask_scalar(chunk: &[u8; LANES], needles: [u8; 3]) -> u64 {
    chunk.iter().enumerate().fold(0, |mask, (at, byte)| mask | (u64::from(needles.contains(byte)) << at))
}

/// SSE2 is part of every x86-64 processor.
#[cfg(target_arch = "x86_64")]
#[inline]
fn mask_sse2(chunk: &[u8; LANES], needles: [u8; 3]) -> u64 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8};
    let mut mask = 0;
    for part in 0..LANES / 16 {
        // SAFETY: SSE2 is part of the x86-64 baseline; the 16 bytes at `part * 16` lie within the 64 of `chunk`, and
        // `loadu` asks for no alignment.
        let bits = unsafe {
            let bytes = _mm_loadu_si128(chunk.as_ptr().add(part * 16).cast());
            let first = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(needles[0].cast_signed()));
            let second = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(needles[1].cast_signed()));
            let third = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(needles[2].cast_signed()));
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(first, second), third))
        };
        mask |= u64::from(bits as u32) << (part * 16);
    }
    mask
}

/// NEON is part of every arm64 processor.
#[cfg(target_arch = "aarch64")]
#[inline]
fn mask_neon(chunk: &[u8; LANES], needles: [u8; 3]) -> u64 {
    use std::arch::aarch64::{vaddv_u8, vandq_u8, vceqq_u8, vdupq_n_u8, vget_high_u8, vget_low_u8, vld1q_u8, vorrq_u8};
    const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    let mut mask = 0;
    for part in 0..LANES / 16 {
        // SAFETY: NEON is part of the arm64 baseline; the 16 bytes at `part * 16` lie within the 64 of `chunk`.
        let bits = unsafe {
            let bytes = vld1q_u8(chunk.as_ptr().add(part * 16));
            let first = vceqq_u8(bytes, vdupq_n_u8(needles[0]));
            let second = vceqq_u8(bytes, vdupq_n_u8(needles[1]));
            let third = vceqq_u8(bytes, vdupq_n_u8(needles[2]));
            let hits = vandq_u8(vorrq_u8(vorrq_u8(first, second), third), vld1q_u8(WEIGHTS.as_ptr()));
            u16::from(vaddv_u8(vget_low_u8(hits))) | (u16::from(vaddv_u8(vget_high_u8(hits))) << 8)
        };
        mask |= u64::from(bits) << (part * 16);
    }
    mask
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_the_scalar_twin(bytes in proptest::array::uniform32(0u8..8), more in proptest::array::uniform32(any::<u8>()), a: u8, b in 0u8..8) {
            let mut chunk = [0; LANES];
            chunk[..32].copy_from_slice(&bytes);
            chunk[32..].copy_from_slice(&more);
            for needles in [[a, b, b'\n'], [b, b, b], [0, 1, 2]] {
                prop_assert_eq!(mask(&chunk, needles), mask_scalar(&chunk, needles));
            }
        }
    }
}
