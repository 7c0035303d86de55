//! What the kernels promise, through the public names.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use etl_pii::checksum::luhn;
use etl_pii::protect::*;
use proptest::prelude::*;

fn key() -> Key {
    Key::new("k", std::array::from_fn(|at| at as u8)).unwrap()
}

fn other_key() -> Key {
    Key::new("k", std::array::from_fn(|at| at as u8 + 1)).unwrap()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn run(kernel: &dyn Protect, column: &ArrayRef) -> ArrayRef {
    let out = kernel.protect(column, Place { batch: 7 }).unwrap();
    assert_eq!(out.data_type(), &kernel.output(column.data_type()).unwrap());
    assert_eq!(out.len(), column.len());
    out
}

fn one(kernel: &dyn Protect, value: &str) -> String {
    run(kernel, &texts(&[Some(value)])).as_string::<i32>().value(0).to_owned()
}

fn digits(luhn: bool, on_misfit: OnMisfit) -> FpeOptions {
    FpeOptions { alphabet: Alphabet::Digits, least: None, luhn, on_misfit }
}

fn encrypt() -> Encrypt {
    Encrypt::new(&key(), "customer", RunId(std::array::from_fn(|at| at as u8)), 3)
}

fn pseudonym(options: PseudonymOptions) -> Pseudonym {
    Pseudonym::new(&key(), options).unwrap()
}

/// All kernels that take text.
fn kernels() -> Vec<Box<dyn Protect>> {
    let keep = Keep::default();
    vec![
        Box::new(pseudonym(PseudonymOptions::default())),
        Box::new(EncryptDeterministic::new(&key(), "customer")),
        Box::new(encrypt()),
        Box::new(Fpe::new(&key(), "customer", digits(false, OnMisfit::Null)).unwrap()),
        Box::new(MaskRange::all('#')),
        Box::new(MaskDelimiter::new(Some("<".to_owned()), None, '#', false, keep).unwrap()),
        Box::new(MaskCustom::new("[0-9]", Replacement::Symbol('#')).unwrap()),
        Box::new(ReplaceRandom::new(1, 9, 5).unwrap()),
        Box::new(ReplaceRandomDate::new(0, 365, 5).unwrap()),
        Box::new(Shuffle::new(5)),
        Box::new(Redact { text: "gone".to_owned() }),
        Box::new(Nullify),
    ]
}

#[test]
fn null_stays_null_and_nothing_else_becomes_it() {
    let column = texts(&[Some("123-45-6789"), None, Some("987654321"), Some("Ünï 123456"), None]);
    for kernel in kernels() {
        let out = run(kernel.as_ref(), &column);
        let nulls: Vec<bool> = (0..5).map(|row| out.is_null(row)).collect();
        let all = format!("{kernel:?}") == "Nullify";
        assert_eq!(nulls, [all, true, all, all, true], "{kernel:?}");
        assert_eq!(run(kernel.as_ref(), &column.slice(0, 0)).len(), 0);
        // A slice and other layouts of text are the same column.
        if !format!("{kernel:?}").contains("Shuffle") {
            for layout in [DataType::LargeUtf8, DataType::Utf8View] {
                let cast_out = kernel.protect(&cast(&column, &layout).unwrap(), Place { batch: 7 }).unwrap();
                assert!(cast_out.to_data() == out.to_data() || format!("{kernel:?}") == "Nullify", "{kernel:?}");
            }
        }
    }
}

/// Computed with `hmac` and `cryptography` of Python from the description: what was written must stay readable.
#[test]
fn the_form_of_what_is_written_never_changes() {
    const ADA: &str = "ada@example.com";
    let domain = Some("customer".to_owned());
    let plain = pseudonym(PseudonymOptions::default());
    assert_eq!(one(&plain, ADA), "6e29442c77b8226f95b9592e0ad68b69c8585f76a881c43043feb07ec097fd6e");
    let short = pseudonym(PseudonymOptions { digits: Some(15), domain, canonical: Canonical::Email });
    assert_eq!(one(&short, " Ada@Example.com"), "4efacf7320b93e3");
    let siv = "v1.k._ac82EPMP4ZtYCnzZeEnmcM2Kho6_xYcRsvYc9eZ3A";
    assert_eq!(one(&EncryptDeterministic::new(&key(), "customer"), ADA), siv);
    let column = texts(&[None, Some(ADA)]);
    assert_eq!(
        run(&encrypt(), &column).as_string::<i32>().value(1),
        "r1.k.AAECAwQFBgcICQoLDA0ODwAAAAMAAAAHAAAAAYGWrdgA63ah-NQGZYjUn6Y4lTkkeDMH2K9lpJ_mLMk"
    );
}

#[test]
fn numbers_and_dates_are_hashed_by_their_text() {
    let hash = pseudonym(PseudonymOptions::default());
    let days: ArrayRef = Arc::new(Date32Array::from(vec![19_753]));
    let moments = cast(&days, &DataType::Timestamp(TimeUnit::Microsecond, None)).unwrap();
    let decimals = Decimal128Array::from(vec![-150]).with_precision_and_scale(9, 2).unwrap();
    let columns: [(ArrayRef, &str); 4] = [
        (Arc::new(Int64Array::from(vec![-42])), "-42"),
        (Arc::new(decimals), "-1.50"),
        (days, "2024-01-31"),
        (moments, "2024-01-31T00:00:00"),
    ];
    for (column, text) in columns {
        assert_eq!(run(&hash, &column).as_string::<i32>().value(0), one(&hash, text));
    }
    for refused in [DataType::Float64, DataType::Boolean, DataType::Binary] {
        assert!(hash.output(&refused).unwrap_err().contains("cast it first"));
    }
}

#[test]
fn domains_and_keys_tell_columns_apart() {
    let in_domain = |domain: &str| {
        let options = PseudonymOptions { domain: Some(domain.to_owned()), ..PseudonymOptions::default() };
        one(&pseudonym(options), "x")
    };
    assert_ne!(in_domain("a"), in_domain("b"));
    assert_ne!(in_domain(""), one(&pseudonym(PseudonymOptions::default()), "x"));
    assert!(Pseudonym::new(&key(), PseudonymOptions { domain: Some("a\u{1f}".into()), ..Default::default() }).is_err());
    assert!(Pseudonym::new(&key(), PseudonymOptions { digits: Some(7), ..Default::default() }).is_err());
    let sealed = one(&EncryptDeterministic::new(&key(), "a"), "x");
    assert_eq!(one(&DecryptDeterministic::new(&key(), "a"), &sealed), "x");
    for wrong in [DecryptDeterministic::new(&key(), "b"), DecryptDeterministic::new(&other_key(), "a")] {
        assert!(wrong.protect(&texts(&[Some(&sealed)]), Place::default()).is_err());
    }
}

#[test]
fn random_encryption_never_repeats_a_nonce() {
    let column = texts(&[Some("same"), Some("same"), Some("same")]);
    let mut seen = std::collections::BTreeSet::new();
    let runs = [RunId([1; 16]), RunId([2; 16])];
    for (run, domain, instance, batch) in runs
        .iter()
        .flat_map(|run| ["a", "b"].into_iter().flat_map(move |d| (0..4).map(move |n| (run, d, n / 2, n % 2))))
    {
        let kernel = Encrypt::new(&key(), domain, *run, instance);
        let out = kernel.protect(&column, Place { batch: batch.into() }).unwrap();
        for text in out.as_string::<i32>().iter().flatten() {
            assert!(seen.insert(text.to_owned()));
            let back = run_decrypt(domain, text);
            assert_eq!(back, "same");
        }
    }
    assert_eq!(seen.len(), 48);
    assert!(encrypt().protect(&column, Place { batch: 1 << 32 }).is_err());
}

fn run_decrypt(domain: &str, text: &str) -> String {
    one(&Decrypt::new(&key(), domain), text)
}

#[test]
fn changed_text_does_not_decrypt_and_is_not_shown() {
    let kernels: [(String, Box<dyn Protect>); 2] = [
        (
            one(&EncryptDeterministic::new(&key(), "customer"), "canary"),
            Box::new(DecryptDeterministic::new(&key(), "customer")),
        ),
        (one(&encrypt(), "canary"), Box::new(Decrypt::new(&key(), "customer"))),
    ];
    for (sealed, decrypt) in kernels {
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last digit of base64 may hold bits that are not used; then the text is refused for that.
            let message = decrypt.protect(&texts(&[Some(&changed)]), Place::default()).unwrap_err();
            assert!(!message.contains(&changed[5..]) && message.starts_with("a value "), "{message}");
        }
        for cut in ["", "v1", "v1.k", "v1.k.", "r1.k.", "v1.k.AAAA", "r1.k.AAAA", "x1.k.AAAA", "v1.canary.AAAA"] {
            let message = decrypt.protect(&texts(&[Some(cut)]), Place::default()).unwrap_err();
            assert!(!message.contains("canary"), "{message}");
        }
    }
}

#[test]
fn no_message_and_no_debug_text_holds_a_value_or_a_key() {
    let secret = Key::from_text("k", "c2VjcmV0Y2FuYXJ5MDEyMzQ1Njc4OWFiY2RlZmdoaWo=").unwrap();
    assert_eq!(format!("{secret:?}"), r#"Key { id: "k", .. }"#);
    for kernel in kernels() {
        let shown = format!("{kernel:?}");
        assert!(!shown.contains("state") && !shown.contains("[1, 2, 3"), "{shown}");
    }
    let failing = Fpe::new(&key(), "d", digits(true, OnMisfit::Fail)).unwrap();
    for value in ["canary 12", "canary 4111111111111112"] {
        let message = failing.protect(&texts(&[Some(value)]), Place::default()).unwrap_err();
        assert!(!message.contains("canary") && !message.contains("12"), "{message}");
    }
}

#[test]
fn fpe_keeps_what_is_outside_the_alphabet() {
    let kernel = Fpe::new(&key(), "ssn", digits(false, OnMisfit::Fail)).unwrap();
    let out = one(&kernel, "123-45-6789 é");
    let form: String = out.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    assert_eq!(form, "999-99-9999 é");
    assert_ne!(out, "123-45-6789 é");
    let back = DecryptFpe::new(&key(), "ssn", digits(false, OnMisfit::Fail)).unwrap();
    assert_eq!(one(&back, &out), "123-45-6789 é");
    let elsewhere = DecryptFpe::new(&key(), "account", digits(false, OnMisfit::Fail)).unwrap();
    assert_ne!(one(&elsewhere, &out), "123-45-6789 é");
}

#[test]
fn fpe_refuses_what_can_be_tried() {
    let new =
        |alphabet, least, luhn| Fpe::new(&key(), "d", FpeOptions { alphabet, least, luhn, on_misfit: OnMisfit::Fail });
    assert!(new(Alphabet::Digits, Some(4), false).unwrap_err().contains("at least 6"));
    assert!(new(Alphabet::Digits, Some(6), true).unwrap_err().contains("at least 7"));
    assert!(new(Alphabet::LowerAlphanumeric, Some(3), false).unwrap_err().contains("at least 4"));
    assert!(new(Alphabet::Custom("01".into()), Some(19), false).is_err());
    assert!(new(Alphabet::Custom("01".into()), Some(20), false).is_ok());
    assert!(new(Alphabet::Custom("aba".into()), None, false).is_err());
    assert!(new(Alphabet::Custom("a".into()), None, false).is_err());
    assert!(new(Alphabet::Alphanumeric, None, true).is_err());
}

#[test]
fn masks_by_position() {
    let mask = |start, stop, value: &str| one(&MaskRange { start, stop, ..MaskRange::all('#') }, value);
    let cases = [
        (None, None, "Zoë", "###"),
        (Some(1), Some(3), "Zoëx", "Z##x"),
        (None, Some(-4), "4111111111111111", "############1111"),
        (Some(-4), None, "123-45-6789", "123-45-####"),
        (Some(2), Some(2), "abc", "abc"),
        (None, Some(-4), "123", "###"),
        (Some(5), None, "123", "###"),
        (Some(1), Some(99), "abc", "a##"),
        (Some(1), Some(-2), "abcde", "a##de"),
        (Some(1), Some(-2), "abc", "###"),
        (Some(-3), Some(-1), "a", "a"),
    ];
    for (start, stop, value, expected) in cases {
        assert_eq!(mask(start, stop, value), expected, "{start:?} {stop:?}");
    }
    let keep = Keep { symbols: true, whitespace: true };
    assert_eq!(one(&MaskRange { keep, ..MaskRange::all('*') }, "a-b c"), "*-* *");
    assert_eq!(one(&MaskRange::keep_last(2, '*'), "abcd"), "**cd");
    assert_eq!(one(&MaskRange::keep_first(2, '*'), "abcd"), "ab**");
    let number: ArrayRef = Arc::new(Int64Array::from(vec![123_456]));
    assert_eq!(run(&MaskRange::keep_last(2, '*'), &number).as_string::<i32>().value(0), "****56");
}

#[test]
fn masks_by_delimiter_and_pattern() {
    let mask = |start: Option<&str>, end: Option<&str>, inclusive, value: &str| {
        let keep = Keep { symbols: false, whitespace: true };
        let (start, end) = (start.map(str::to_owned), end.map(str::to_owned));
        one(&MaskDelimiter::new(start, end, '#', inclusive, keep).unwrap(), value)
    };
    assert_eq!(mask(Some("<"), Some(">"), false, "A <b c> d"), "A <# #> d");
    assert_eq!(mask(Some("<"), Some(">"), true, "A <b c> d"), "A ## ## d");
    assert_eq!(mask(None, Some("@"), false, "ada@example.com"), "###@example.com");
    assert_eq!(mask(Some("@"), None, false, "ada@ex.com"), "ada@######");
    assert_eq!(mask(Some("<"), Some(">"), false, "no bracket"), "## #######");
    assert!(MaskDelimiter::new(None, None, '#', false, Keep::default()).is_err());
    let custom = |pattern, replacement| one(&MaskCustom::new(pattern, replacement).unwrap(), "é 12 and 345");
    assert_eq!(custom("[0-9]+", Replacement::Symbol('X')), "é XX and XXX");
    assert_eq!(custom("[0-9]+", Replacement::Text("$0".into())), "é $0 and $0");
    assert!(MaskCustom::new("[0-9]*", Replacement::Symbol('X')).is_err());
    assert!(MaskCustom::new("(", Replacement::Symbol('X')).is_err());
}

#[test]
fn dates_lose_their_day() {
    let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(19_782), None, Some(-1)]));
    let text = |kernel: &dyn Protect, column: &ArrayRef| {
        let text = cast(&run(kernel, column), &DataType::Utf8).unwrap();
        text.as_string::<i32>().iter().map(|value| value.unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    let (year, month) = (MaskDate { keep: DatePart::Year }, MaskDate { keep: DatePart::YearMonth });
    assert_eq!(text(&year, &days), ["2024-01-01", "-", "1969-01-01"]);
    assert_eq!(text(&month, &days), ["2024-02-01", "-", "1969-12-01"]);
    for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
        let moments = cast(&days, &DataType::Timestamp(unit, Some("+00:00".into()))).unwrap();
        assert_eq!(text(&month, &moments), ["2024-02-01T00:00:00Z", "-", "1969-12-01T00:00:00Z"]);
    }
    assert!(month.output(&DataType::Utf8).is_err());
}

#[test]
fn random_numbers_fit_their_type_and_depend_on_nothing_else() {
    let numbers: ArrayRef =
        Arc::new(Int64Array::from((0..1000).map(|n| (n % 10 > 0).then_some(n)).collect::<Vec<_>>()));
    let kernel = ReplaceRandom::new(-3, 3, 1).unwrap();
    let types = [
        DataType::Int8,
        DataType::Int64,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal128(9, 2),
        DataType::Utf8,
    ];
    for output in types {
        let column = cast(&numbers, &output).unwrap_or_else(|_| numbers.clone());
        let out = run(&kernel, &column);
        assert_eq!(out.null_count(), column.null_count());
        let whole = cast(&out, &DataType::Int64).unwrap();
        let values: std::collections::BTreeSet<i64> = whole.as_primitive::<Int64Type>().iter().flatten().collect();
        assert!(values.iter().all(|value| (-3..=3).contains(value)) && values.len() >= 5, "{output} {values:?}");
    }
    assert!(kernel.output(&DataType::UInt8).is_err());
    assert!(ReplaceRandom::new(0, 1000, 1).unwrap().output(&DataType::Decimal128(5, 2)).is_err());
    assert!(ReplaceRandom::new(1, 0, 1).is_err());
    let place = |batch| kernel.protect(&numbers, Place { batch }).unwrap();
    assert_eq!(&place(1), &place(1));
    assert_ne!(&place(1), &place(2));
    assert!(ReplaceRandom::new(i64::MIN, i64::MAX, 1).unwrap().protect(&numbers, Place::default()).is_ok());
}

#[test]
fn shuffled_values_are_the_same_values() {
    let values: Vec<Option<i64>> = (0..1000).map(|n| (n % 7 > 0).then_some(n)).collect();
    let column: ArrayRef = Arc::new(Int64Array::from(values.clone()));
    let out = run(&Shuffle::new(1), &column);
    let mut after: Vec<Option<i64>> = out.as_primitive::<Int64Type>().iter().collect();
    assert!(values.iter().zip(&after).all(|(before, after)| before.is_none() == after.is_none()));
    assert!(values.iter().zip(&after).filter(|(before, after)| before.is_some() && before == after).count() < 10);
    after.sort();
    let mut before = values;
    before.sort();
    assert_eq!(before, after);
}

proptest! {
    #[test]
    fn what_is_encrypted_decrypts(
        values in proptest::collection::vec(proptest::option::of(any::<String>()), 0..20), batch in 0..9u64,
    ) {
        let column: ArrayRef = Arc::new(StringArray::from(values));
        let pairs: [(Box<dyn Protect>, Box<dyn Protect>); 2] = [
            (Box::new(EncryptDeterministic::new(&key(), "d")), Box::new(DecryptDeterministic::new(&key(), "d"))),
            (Box::new(Encrypt::new(&key(), "d", RunId([3; 16]), 1)), Box::new(Decrypt::new(&key(), "d"))),
        ];
        for (there, back) in pairs {
            let sealed = there.protect(&column, Place { batch }).unwrap();
            prop_assert_eq!(&back.protect(&sealed, Place::default()).unwrap(), &column);
        }
    }

    #[test]
    fn fpe_keeps_form_and_decrypts(value in "[0-9a-zé -]{4,40}", custom in any::<bool>()) {
        let alphabet = if custom { Alphabet::Custom("é0123456789abcxyz".into()) } else { Alphabet::LowerAlphanumeric };
        let options = FpeOptions { alphabet, least: None, luhn: false, on_misfit: OnMisfit::Null };
        let out = run(&Fpe::new(&key(), "d", options.clone()).unwrap(), &texts(&[Some(&value)]));
        if out.is_valid(0) {
            prop_assert_eq!(out.as_string::<i32>().value(0).chars().count(), value.chars().count());
            let back = run(&DecryptFpe::new(&key(), "d", options).unwrap(), &out);
            prop_assert_eq!(back.as_string::<i32>().value(0), &value);
        }
    }

    #[test]
    fn cards_stay_cards(stem in "[0-9]{11,18}") {
        let pass = |value: &String| luhn(value.as_bytes());
        let card = (0..10).map(|check| format!("{stem}{check}")).find(pass).unwrap();
        let out = one(&Fpe::new(&key(), "card", digits(true, OnMisfit::Fail)).unwrap(), &card);
        prop_assert!(luhn(out.as_bytes()) && out.len() == card.len());
        prop_assert_eq!(one(&DecryptFpe::new(&key(), "card", digits(true, OnMisfit::Fail)).unwrap(), &out), card);
    }
}
