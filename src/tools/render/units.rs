//! Values as text, in units that people read or exact. Never changes what a value means.

use super::printable;
use crate::tools::document::Value;
use humansize::{format_size, FormatSizeOptions, BINARY};

/// Should numbers be rounded to what people read?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tools) enum Precision {
    /// `1.2 MiB`, `3.4 s`.
    Human,
    /// Bytes to the last one, seconds to the last nanosecond.
    Exact,
}

/// `value` as text. `in_column`: the heading says the unit, so an exact number of bytes needs none.
pub(in crate::tools) fn value_text(value: &Value, precision: Precision, in_column: bool) -> String {
    match value {
        Value::Absent => "-".to_owned(),
        Value::Flag(true) => "yes".to_owned(),
        Value::Flag(false) => "no".to_owned(),
        Value::Text(text) | Value::Name(text) | Value::Path(text) => printable(text).into_owned(),
        Value::Indented { depth, text } => indented(*depth, &printable(text)),
        Value::Words(words) => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
        Value::Count(count) => count.to_string(),
        Value::Signed(count) => count.to_string(),
        Value::Bytes(bytes) => bytes_text(*bytes, precision, in_column),
        Value::SignedBytes(bytes) => {
            let sign = if *bytes < 0 { "-" } else { "" };
            format!("{sign}{}", bytes_text(bytes.unsigned_abs(), precision, in_column))
        }
        Value::Nanoseconds(ns) => match precision {
            Precision::Human => format!("{}.{:03} s", ns / 1_000_000_000, ns % 1_000_000_000 / 1_000_000),
            Precision::Exact => format!("{}.{:09} s", ns / 1_000_000_000, ns % 1_000_000_000),
        },
        Value::Instant(unix_ns) => instant(*unix_ns),
        Value::Decimal(number) => decimal(*number, precision),
        Value::DecimalBytes(bytes) => decimal_bytes(*bytes, precision, in_column),
        Value::Share(share) => format!("{:.1} %", 100.0 * share),
        Value::Counts(counts) => {
            let one = |(what, count): &(String, f64)| format!("{} {}", decimal(*count, precision), printable(what));
            counts.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        // Text says such things in lines of their own.
        Value::Record(_) | Value::Records(_) => String::new(),
    }
}

/// `value` as people read it in a column.
pub fn human(value: &Value) -> String {
    value_text(value, Precision::Human, true)
}

/// A number as people read it: three digits or all before the point, no zeros at the end.
fn decimal(number: f64, precision: Precision) -> String {
    let places = match (precision, number.abs()) {
        (Precision::Exact, _) => 6,
        (Precision::Human, 100.0..) => 0,
        (Precision::Human, 10.0..) => 1,
        (Precision::Human, 1.0..) => 2,
        (Precision::Human, _) => 3,
    };
    let text = format!("{number:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Rounded to whole bytes where there are enough of them.
fn decimal_bytes(bytes: f64, precision: Precision, in_column: bool) -> String {
    let unit = if precision == Precision::Exact { "bytes" } else { "B" };
    if bytes.abs() < 100.0 || !bytes.is_finite() {
        let number = decimal(bytes, precision);
        return if in_column && precision == Precision::Exact { number } else { format!("{number} {unit}") };
    }
    let sign = if bytes < 0.0 { "-" } else { "" };
    // A float that is too large becomes the largest integer.
    format!("{sign}{}", bytes_text(bytes.abs().round() as u64, precision, in_column))
}

fn bytes_text(bytes: u64, precision: Precision, in_column: bool) -> String {
    match precision {
        Precision::Human if bytes < 1024 => format!("{bytes} B"),
        Precision::Human => {
            let places = if at_least_100_units(bytes) { 0 } else { 1 };
            format_size(bytes, FormatSizeOptions::from(BINARY).decimal_places(places).decimal_zeroes(places))
        }
        Precision::Exact if in_column => bytes.to_string(),
        Precision::Exact => format!("{bytes} bytes"),
    }
}

/// Three digits say enough: are there as many before the point, in the largest unit that fits?
fn at_least_100_units(bytes: u64) -> bool {
    let unit = bytes.checked_ilog2().unwrap_or(0) / 10 * 10;
    // 99.95 would be rounded to 100.0.
    u128::from(bytes) * 100 >= 9995u128 << unit
}

/// Levels of a tree that are shown by indenting; below that a number says how deep.
const INDENTED_LEVELS: usize = 32;

fn indented(depth: usize, text: &str) -> String {
    let indent = "  ".repeat(depth.min(INDENTED_LEVELS));
    if depth > INDENTED_LEVELS {
        format!("{indent}[level {depth}] {text}")
    } else {
        format!("{indent}{text}")
    }
}

/// A word of a command line, quoted as a shell wants it where it needs to be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", printable(word).replace('\'', "'\\''"))
}

/// `2026-11-24 21:00:18 UTC`.
fn instant(unix_ns: u64) -> String {
    let seconds = unix_ns / 1_000_000_000;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// `20261124T210018.000000000Z`: for names of files. Sorted as text they stand in order.
pub(in crate::tools) fn instant_key(unix_ns: u64) -> String {
    let (seconds, ns) = (unix_ns / 1_000_000_000, unix_ns % 1_000_000_000);
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{ns:09}Z")
}

/// Year, month and day of a day counted from 1970-01-01. Counts years from March, so that leap days come last.
fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (year + era * 400, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_rounded_for_people_and_exact_on_demand() {
        for (value, human, exact) in [
            (Value::Bytes(0), "0 B", "0"),
            (Value::Bytes(1023), "1023 B", "1023"),
            (Value::Bytes(1_258_291), "1.2 MiB", "1258291"),
            (Value::Bytes(102_348), "99.9 KiB", "102348"),
            (Value::Bytes(102_349), "100 KiB", "102349"),
            (Value::Bytes(1_048_575), "1024 KiB", "1048575"),
            (Value::SignedBytes(-2048), "-2.0 KiB", "-2048"),
            (Value::SignedBytes(i64::MIN), "-8.0 EiB", "-9223372036854775808"),
            (Value::Bytes(u64::MAX), "16.0 EiB", "18446744073709551615"),
        ] {
            assert_eq!(value_text(&value, Precision::Human, true), human);
            assert_eq!(value_text(&value, Precision::Exact, true), exact);
        }
    }

    #[test]
    fn numbers_that_are_not_whole_have_as_many_digits_as_say_something() {
        for (value, human, exact) in [
            (Value::Decimal(4.0), "4", "4"),
            (Value::Decimal(13.0 / 3.0), "4.33", "4.333333"),
            (Value::Decimal(1234.56), "1235", "1234.56"),
            (Value::Decimal(0.05), "0.05", "0.05"),
            (Value::Decimal(-20.0), "-20", "-20"),
            (Value::DecimalBytes(63.5), "63.5 B", "63.5"),
            (Value::DecimalBytes(4300.4), "4.2 KiB", "4300"),
            (Value::DecimalBytes(f64::NAN), "NaN B", "NaN"),
            (Value::Share(0.9987), "99.9 %", "99.9 %"),
        ] {
            assert_eq!(value_text(&value, Precision::Human, true), human);
            assert_eq!(value_text(&value, Precision::Exact, true), exact);
        }
    }

    #[test]
    fn instants_are_utc() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (1_795_554_018, "2026-11-24 21:00:18 UTC"),
        ] {
            assert_eq!(instant(seconds * 1_000_000_000), text);
        }
        instant(u64::MAX);
    }

    #[test]
    fn instants_in_names_of_files_are_exact() {
        assert_eq!(instant_key(951_782_400_000_000_007), "20000229T000000.000000007Z");
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        let words = ["perl", "-e", "print 'x'", ""].map(str::to_owned).to_vec();
        assert_eq!(value_text(&Value::Words(words), Precision::Human, false), r"perl -e 'print '\''x'\''' ''");
    }
}
