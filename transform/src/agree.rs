//! Which types go together.

use arrow::datatypes::{DataType, TimeUnit};

/// The type that holds the values of both: the wider of two numbers, a timestamp for dates and timestamps.
pub(crate) fn common_type(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Date32, Decimal128, Float64, Timestamp};
    if left == right {
        return Some(left.clone());
    }
    match (left, right) {
        (Date32, Timestamp(..)) | (Timestamp(..), Date32) => Some(Timestamp(TimeUnit::Microsecond, None)),
        _ if !left.is_numeric() || !right.is_numeric() => None,
        _ if left.is_floating() || right.is_floating() => Some(Float64),
        _ if left.is_integer() && right.is_integer() => {
            Some(if digits(left) < digits(right) { right } else { left }.clone())
        }
        _ => {
            let scale = scale(left).max(scale(right));
            let whole = |of: &DataType| digits(of) as i8 - self::scale(of);
            let precision = scale + whole(left).max(whole(right));
            (1..=38).contains(&precision).then_some(Decimal128(precision as u8, scale))
        }
    }
}

/// The type that keys of two types are compared as: their own, or that of whole numbers and decimals which holds both; `None`
/// where they are never equal, or, as floating point is, no keys.
pub fn key_type(left: &DataType, right: &DataType) -> Option<DataType> {
    let exact = |of: &DataType| of.is_numeric() && !of.is_floating();
    match left == right {
        true => (!left.is_floating()).then(|| left.clone()),
        false => common_type(left, right).filter(|_| exact(left) && exact(right)),
    }
}

/// A type as a job file writes it.
pub(crate) fn type_words(data_type: &DataType) -> String {
    match crate::sql::type_name(data_type) {
        Ok(name) => name.to_ascii_lowercase(),
        Err(_) => crate::nested::type_text(data_type).unwrap_or_else(|| data_type.to_string()),
    }
}

fn digits(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Int8 => 3,
        DataType::Int16 => 5,
        DataType::Int32 => 10,
        DataType::Decimal128(precision, _) => *precision,
        _ => 19,
    }
}

fn scale(data_type: &DataType) -> i8 {
    match data_type {
        DataType::Decimal128(_, scale) => *scale,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::type_of;

    #[test]
    fn keys_are_exact() {
        let check = |left: &str, right: &str| key_type(&type_of(left).unwrap(), &type_of(right).unwrap()).is_some();
        for (left, right) in [("int", "bigint"), ("decimal(10,2)", "int"), ("date", "date"), ("string", "string")] {
            assert!(check(left, right), "{left} {right}");
        }
        for (left, right) in [("double", "double"), ("double", "int"), ("date", "timestamp"), ("string", "int")] {
            assert!(!check(left, right), "{left} {right}");
        }
    }

    #[test]
    fn the_common_type_holds_both() {
        let check = |left: &str, right: &str, common: Option<&str>| {
            let (left, right) = (type_of(left).unwrap(), type_of(right).unwrap());
            let expected = common.map(|common| type_of(common).unwrap());
            assert_eq!(common_type(&left, &right), expected, "{left} {right}");
            assert_eq!(common_type(&right, &left), expected, "{right} {left}");
        };
        check("int", "bigint", Some("bigint"));
        check("int", "double", Some("double"));
        check("float", "double", Some("double"));
        check("decimal(10,2)", "decimal(8,4)", Some("decimal(12,4)"));
        check("decimal(10,2)", "bigint", Some("decimal(21,2)"));
        check("decimal(38,2)", "decimal(38,4)", None);
        check("date", "timestamp", Some("timestamp"));
        check("string", "bigint", None);
        check("string", "string", Some("string"));
        check("boolean", "int", None);
    }
}
