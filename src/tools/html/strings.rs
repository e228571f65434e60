//! Every name and path of the page, once: tables, tree and sources name them by number.

use crate::tools::render::printable;
use rustc_hash::FxHashMap;
use serde::Serialize;

/// Number of a string of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub(super) struct StringNumber(u32);

/// The strings of a page in the making.
#[derive(Default)]
pub(super) struct Strings {
    numbers: FxHashMap<String, StringNumber>,
    list: Vec<String>,
}

impl Strings {
    /// The number of a text. What is no visible character is spelled out: a page is no place for it to act in.
    pub(super) fn number(&mut self, text: &str) -> StringNumber {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = StringNumber(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.numbers.insert(text.to_owned(), number);
        self.list.push(printable(text).into_owned());
        number
    }

    /// All strings, by number.
    pub(super) fn into_list(self) -> Vec<String> {
        self.list
    }
}
