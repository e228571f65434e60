//! Text that cannot do anything to a terminal. Names in a trace are whatever the profiled program chose.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with everything that is no visible character spelled out: `\n`, `\t`, `\x{1B}`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(unsafe_to_print) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => printable.push_str("\\n"),
            '\r' => printable.push_str("\\r"),
            '\t' => printable.push_str("\\t"),
            c if unsafe_to_print(c) => {
                // Writing to a String cannot fail.
                let _ = write!(printable, "\\x{{{:X}}}", u32::from(c));
            }
            c => printable.push(c),
        }
    }
    Cow::Owned(printable)
}

/// Control characters, line and paragraph separators, and what changes the direction of writing.
pub(super) fn unsafe_to_print(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{61C}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_spelled_out() {
        for (raw, shown) in [
            ("Foo::bar", "Foo::bar"),
            ("Käse::日本", "Käse::日本"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\x1b[31mred", "\\x{1B}[31mred"),
            ("\u{9b}31m\x7f\0", "\\x{9B}31m\\x{7F}\\x{0}"),
            ("\u{202e}evil", "\\x{202E}evil"),
        ] {
            assert_eq!(printable(raw), shown);
        }
    }
}
