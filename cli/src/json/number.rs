//! Numbers: what JSON readers would round or cannot write travels as a string.

use serde_json::Number;

use super::{Json, JsonError};

/// The largest number up to which every whole number is exact in a reader that uses doubles.
const EXACT: i128 = 1 << 53;

/// A whole number, as a string if it is beyond 2^53.
pub(super) fn integer_to_json(number: i128) -> Json {
    match i64::try_from(number) {
        Ok(small) if number.abs() <= EXACT => Json::from(small),
        _ => Json::from(number.to_string()),
    }
}

/// A whole number that fits `T`, from a JSON number or from a string of digits.
pub(super) fn integer_from_json<T: TryFrom<i128>>(
    json: &Json,
    type_name: &str,
) -> Result<T, JsonError> {
    let number = match json {
        Json::Number(n) => n
            .as_i64()
            .map(i128::from)
            .or_else(|| n.as_u64().map(i128::from)),
        Json::String(digits) => digits.parse().ok(),
        _ => None,
    };
    let fitting = number.and_then(|n| T::try_from(n).ok());
    fitting.ok_or_else(|| {
        JsonError::new(format!(
            "{json} is not a whole number that fits {type_name}"
        ))
    })
}

/// A double: a number, or one of the strings `NaN`, `Infinity`, `-Infinity`; a NaN with unusual bits as `0x` and the bits.
pub(super) fn double_to_json(double: f64) -> Json {
    match Number::from_f64(double) {
        Some(number) => Json::Number(number),
        None if double == f64::INFINITY => Json::from("Infinity"),
        None if double == f64::NEG_INFINITY => Json::from("-Infinity"),
        None if double.to_bits() == f64::NAN.to_bits() => Json::from("NaN"),
        None => Json::from(format!("{:#018x}", double.to_bits())),
    }
}

/// The way back of [`double_to_json`].
pub(super) fn double_from_json(json: &Json) -> Result<f64, JsonError> {
    let double = match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match named(text) {
            Some(special) => Some(special),
            None => text
                .strip_prefix("0x")
                .and_then(|hex| u64::from_str_radix(hex, 16).ok())
                .map(f64::from_bits),
        },
        _ => None,
    };
    double.ok_or_else(|| JsonError::new(format!("{json} is not a double")))
}

/// A float: as short as it can be written without loss. See [`double_to_json`] for the rest.
pub(super) fn float_to_json(float: f32) -> Json {
    if float.is_nan() && float.to_bits() != f32::NAN.to_bits() {
        return Json::from(format!("{:#010x}", float.to_bits()));
    }
    let short = float
        .to_string()
        .parse::<f64>()
        .ok()
        .filter(|short| narrow(*short).to_bits() == float.to_bits());
    double_to_json(short.unwrap_or_else(|| f64::from(float)))
}

/// The way back of [`float_to_json`].
pub(super) fn float_from_json(json: &Json) -> Result<f32, JsonError> {
    if let Some(hex) = json.as_str().and_then(|text| text.strip_prefix("0x")) {
        let bits = u32::from_str_radix(hex, 16);
        return bits
            .map(f32::from_bits)
            .map_err(|_| JsonError::new(format!("{json} is not a float")));
    }
    double_from_json(json).map(narrow)
}

fn named(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The nearest float; the canonical NaN stays the canonical NaN.
fn narrow(double: f64) -> f32 {
    if double.is_nan() {
        f32::NAN
    } else {
        double as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through_text(json: &Json) -> Json {
        serde_json::from_str(&json.to_string()).unwrap()
    }

    #[test]
    fn floats_and_doubles_come_back_with_the_same_bits() {
        let bits = [
            0,
            1,
            0x8000_0000,
            0x3dcc_cccd,
            0x7f7f_ffff,
            0x7f80_0000,
            0xff80_0000,
            0x7fc0_0000,
            0x7fc0_0001,
            0xffff_ffff,
        ];
        let many = (0..20_000_u32).map(|i| i.wrapping_mul(0x9e37_79b9));
        for bits in bits.into_iter().chain(many) {
            let back =
                float_from_json(&through_text(&float_to_json(f32::from_bits(bits)))).unwrap();
            assert_eq!(back.to_bits(), bits);
            let wide = u64::from(bits) << 32 | u64::from(bits.rotate_left(7));
            let back =
                double_from_json(&through_text(&double_to_json(f64::from_bits(wide)))).unwrap();
            assert_eq!(back.to_bits(), wide);
        }
        assert_eq!(float_to_json(0.1).to_string(), "0.1");
        assert_eq!(double_to_json(-0.0).to_string(), "-0.0");
    }

    #[test]
    fn integers_beyond_what_a_double_holds_are_strings() {
        assert_eq!(integer_to_json(1 << 53), Json::from(1_i64 << 53));
        assert_eq!(
            integer_to_json(i128::from(u64::MAX)),
            Json::from("18446744073709551615")
        );
        assert_eq!(
            integer_from_json::<u64>(&Json::from("18446744073709551615"), "ulong"),
            Ok(u64::MAX)
        );
        assert!(integer_from_json::<u8>(&Json::from(256), "ubyte").is_err());
        assert!(integer_from_json::<u8>(&Json::from(1.5), "ubyte").is_err());
    }
}
