//! Published vectors, through the primitives that the kernels use.

#![allow(clippy::unwrap_used, reason = "a test")]

use aes_gcm::Aes256Gcm;
use aes_gcm_siv::Aes256GcmSiv;
use aes_gcm_siv::aead::{Aead, KeyInit, Nonce, Payload};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn check<C: Aead + KeyInit>(key: &str, nonce: &str, aad: &str, plain: &str, sealed: &str) {
    let cipher = C::new_from_slice(&hex(key)).unwrap();
    let nonce = Nonce::<C>::try_from(hex(nonce).as_slice()).unwrap();
    let (aad, plain, sealed) = (hex(aad), hex(plain), hex(sealed));
    assert_eq!(cipher.encrypt(&nonce, Payload { msg: &plain, aad: &aad }).unwrap(), sealed);
    assert_eq!(cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &aad }).unwrap(), plain);
}

/// RFC 8452, appendix C.2.
#[test]
fn aes_256_gcm_siv() {
    let check = |aad, plain, sealed| {
        let key = "0100000000000000000000000000000000000000000000000000000000000000";
        check::<Aes256GcmSiv>(key, "030000000000000000000000", aad, plain, sealed);
    };
    check("", "", "07f5f4169bbf55a8400cd47ea6fd400f");
    check("", "0100000000000000", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28");
    check("", "010000000000000000000000", "9aab2aeb3faa0a34aea8e2b18ca50da9ae6559e48fd10f6e5c9ca17e");
    check("", "01000000000000000000000000000000", "85a01b63025ba19b7fd3ddfc033b3e76c9eac6fa700942702e90862383c6c366");
    check("01", "0200000000000000", "1de22967237a813291213f267e3b452f02d01ae33e4ec854");
}

/// "The Galois/Counter Mode of Operation" (McGrew and Viega), test cases 13, 14 and 16, as NIST's CAVS has them.
#[test]
fn aes_256_gcm() {
    let zeros = "0".repeat(64);
    check::<Aes256Gcm>(&zeros, &"0".repeat(24), "", "", "530f8afbc74536b9a963b4f1c4cb738b");
    check::<Aes256Gcm>(
        &zeros,
        &"0".repeat(24),
        "",
        &"0".repeat(32),
        "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
    );
    check::<Aes256Gcm>(
        &"feffe9928665731c6d6a8f9467308308".repeat(2),
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0d\
         e657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba\
         7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    );
}
