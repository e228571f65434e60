//! Text that does not fit, with … for what was left out. Counts characters, one column each.

/// `text` in at most `width` characters, cut on the left: the end of a path says most.
pub fn keep_end(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = text.chars().skip(length - width.saturating_sub(1));
    std::iter::once('…').chain(kept).take(width).collect()
}

/// `text` in at most `width` characters, cut in the middle: a name's package and its last part both matter.
pub fn keep_ends(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let end = kept * 2 / 3;
    let start = text.chars().take(kept - end);
    start.chain(std::iter::once('…')).chain(text.chars().skip(length - end)).take(width).collect()
}

/// A place shorter than this says nothing.
const LEAST_PLACE: usize = 10;

/// A name in a tree and, two blanks after it, its place, in at most `width` characters: the indentation is kept up to
/// half of the width, then the name has what it needs, and the place the rest where that is worth it.
pub(super) fn keep_name(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let named = text.trim_start_matches(' ');
    let indentation = (text.len() - named.len()).min(width / 2);
    let room = width - indentation;
    let (name, place) = named.rsplit_once("  ").unwrap_or((named, ""));
    let name = keep_ends(name, room);
    let rest = room.saturating_sub(name.chars().count() + 2);
    let mut kept = format!("{}{name}", " ".repeat(indentation));
    if !place.is_empty() && rest >= LEAST_PLACE {
        kept.push_str("  ");
        kept.push_str(&keep_end(place, rest));
    }
    kept
}

/// `text` with half of the blanks it begins with.
pub(super) fn without_half_the_indentation(text: &str) -> String {
    let blanks = text.len() - text.trim_start_matches(' ').len();
    text.get(blanks / 2..).unwrap_or(text).to_owned()
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
    fn in_a_tree_the_name_comes_before_its_place() {
        let row = "    Foo::bar  lib/Foo/Bar.pm:12";
        for (width, shown) in [(40, row), (26, "    Foo::bar  …o/Bar.pm:12"), (20, "    Foo::bar"), (10, "    Fo…bar")]
        {
            assert_eq!(keep_name(row, width), shown);
        }
        assert_eq!(without_half_the_indentation(row), "  Foo::bar  lib/Foo/Bar.pm:12");
    }

    #[test]
    fn nothing_is_ever_wider_than_asked_for() {
        for width in 0..12 {
            assert!(keep_name("    äbcdefghij  lib/File.pm:12", width).chars().count() <= width);
            assert!(keep_end("äbcdefghij", width).chars().count() <= width);
            assert!(keep_ends("äbcdefghij", width).chars().count() <= width);
        }
    }
}
