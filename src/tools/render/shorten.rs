//! Text that does not fit, with … for what was left out. Counts characters, one column each.

/// `text` in at most `width` characters, cut on the left: the end of a path says most.
pub(super) fn keep_end(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = text.chars().skip(length - width.saturating_sub(1));
    std::iter::once('…').chain(kept).take(width).collect()
}

/// `text` in at most `width` characters, cut in the middle: a name's package and its last part both matter.
pub(super) fn keep_ends(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let end = kept * 2 / 3;
    let start = text.chars().take(kept - end);
    start.chain(std::iter::once('…')).chain(text.chars().skip(length - end)).take(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_their_end_and_names_both_ends() {
        assert_eq!(keep_end("lib/Foo/Bar.pm", 14), "lib/Foo/Bar.pm");
        assert_eq!(keep_end("lib/Foo/Bar.pm", 8), "…/Bar.pm");
        assert_eq!(keep_ends("My::Long::Package::method", 13), "My::…::method");
        assert_eq!(keep_ends("short", 5), "short");
    }

    #[test]
    fn nothing_is_ever_wider_than_asked_for() {
        for width in 0..12 {
            assert!(keep_end("äbcdefghij", width).chars().count() <= width);
            assert!(keep_ends("äbcdefghij", width).chars().count() <= width);
        }
    }
}
