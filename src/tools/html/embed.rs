//! What stands between tags of the page and must not end them, and the hashes that let it run.

use base64::prelude::{Engine, BASE64_STANDARD};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// `data` as JSON that can stand in a `script` element: no `<` opens or closes a tag or a comment, and no line separator
/// that old JavaScript takes for the end of a line.
pub(super) fn json(data: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(data)?;
    let special = ['<', '\u{2028}', '\u{2029}'];
    let mut safe = String::with_capacity(json.len() + json.len() / 64);
    let mut rest = json.as_str();
    // All of these can only stand in strings, where an escape means the same.
    while let Some((before, after)) = rest.find(special).map(|at| rest.split_at(at)) {
        safe.push_str(before);
        let mut chars = after.chars();
        safe.push_str(match chars.next() {
            Some('<') => "\\u003c",
            Some('\u{2028}') => "\\u2028",
            _ => "\\u2029",
        });
        rest = chars.as_str();
    }
    safe.push_str(rest);
    Ok(safe)
}

/// The hash by which a Content-Security-Policy names a script or a style.
pub(super) fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_cannot_end_its_element() {
        let text = "</script><!--<script>\u{2028}\u{2029}&amp;";
        let safe = json(&[text]).unwrap();
        assert!(!safe.contains(['<', '\u{2028}', '\u{2029}']), "{safe}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [text]);
    }

    #[test]
    fn a_hash_is_the_one_that_browsers_make() {
        // The example of the CSP specification, level 2.
        assert_eq!(hash("alert('Hello, world.');"), "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
    }

    proptest! {
        #[test]
        fn every_string_comes_back(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&json(&text).unwrap()).unwrap(), text);
        }
    }
}
