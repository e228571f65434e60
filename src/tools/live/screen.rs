//! What is on the screen, and what the keys do to it.

use super::growth::{paths, rows, By, Grown, Key, Since};
use crate::format::records::SubKind;
use crate::tools::profile::names;
use crate::tools::reader::Follower;
use crate::tools::trace::Trace;
use regex::Regex;
use std::cmp::Reverse;

/// What rows are sorted by; the most comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Growth of the live bytes.
    #[default]
    Grown,
    /// Live bytes.
    Live,
    /// Bytes allocated.
    Allocated,
    /// Growth of the live scalars.
    Scalars,
}

/// A row as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which it is.
    pub key: Key,
    /// Its figures.
    pub grown: Grown,
    /// `file:line`, or the sub.
    pub place: String,
    /// The sub of a line; empty where `place` is the sub.
    pub sub: String,
}

/// What is done by a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sort rows.
    Sort(Sort),
    /// Rows by line or by sub.
    Switch,
    /// To a row so many below, or above where negative.
    Move(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Show or hide the call paths that lead to the row.
    Expand,
    /// Hold what is shown, or go on.
    Pause,
    /// Count growth from now on.
    SinceNow,
    /// Count growth from the start of the trace.
    SinceStart,
    /// Begin to type a filter.
    Filter,
    /// A character of the filter.
    Type(char),
    /// Take the last character of the filter back.
    Erase,
    /// The filter is typed.
    Enter,
    /// Forget the filter, close the help, or close the paths.
    Close,
    /// Show or hide the help.
    Help,
}

/// The call paths of a row, as they are shown.
pub struct Expanded {
    /// Which row.
    pub key: Key,
    /// The paths, and what each grew.
    pub paths: Vec<(Vec<String>, Grown)>,
}

/// What is on the screen.
#[derive(Default)]
pub struct Screen {
    /// What rows are by.
    pub by: By,
    /// What they are sorted by.
    pub sort: Sort,
    /// The rows that pass the filter, in order.
    pub rows: Vec<Row>,
    /// How many there were to choose from.
    pub rows_in_all: usize,
    /// Index of the row that the keys act on.
    pub selected: usize,
    /// Is what is shown held?
    pub paused: bool,
    /// Is the help shown?
    pub help: bool,
    /// The filter as typed, while it is being typed.
    pub typing: Option<String>,
    /// The filter.
    pub filter: Option<Regex>,
    /// The last filter typed was none.
    pub bad_filter: bool,
    /// The paths of a row.
    pub expanded: Option<Expanded>,
    /// What growth counts from.
    pub since: Since,
    follows_selection: Option<Key>,
}

/// Call paths that are shown of a row.
const PATHS: usize = 5;

impl Screen {
    /// A screen of rows by line, sorted by growth, which counts from the start of the trace.
    pub fn new() -> Self {
        Screen::default()
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, follower: &Follower) {
        match action {
            Action::Sort(sort) => self.sort = sort,
            Action::Switch => {
                self.by = if self.by == By::Line { By::Sub } else { By::Line };
                (self.expanded, self.follows_selection, self.selected) = (None, None, 0);
            }
            Action::Move(rows) => self.select(self.selected.saturating_add_signed(rows)),
            Action::First => self.select(0),
            Action::Last => self.select(usize::MAX),
            Action::Expand => self.expand(follower.trace()),
            Action::Pause => self.paused = !self.paused,
            Action::SinceNow => {
                self.since = follower.trace().map(Since::now).unwrap_or_default();
            }
            Action::SinceStart => self.since = Since::default(),
            Action::Filter => self.typing = Some(self.filter.as_ref().map_or(String::new(), Regex::to_string)),
            Action::Type(c) => {
                self.typing.get_or_insert_default().push(c);
                self.try_filter();
            }
            Action::Erase => {
                self.typing.get_or_insert_default().pop();
                self.try_filter();
            }
            Action::Enter => self.typing = None,
            Action::Close => {
                if self.help {
                    self.help = false;
                } else if self.typing.is_some() || self.filter.is_some() {
                    (self.typing, self.filter, self.bad_filter) = (None, None, false);
                } else {
                    self.expanded = None;
                }
            }
            Action::Help => self.help = !self.help,
        }
        if let Some(trace) = follower.trace() {
            self.update(trace);
        }
    }

    /// For another run, whose figures have nothing to do with those that growth was counted from. What rows are by, the
    /// order and the filter stay.
    pub fn begin_anew(&mut self) {
        let (by, sort, filter) = (self.by, self.sort, self.filter.take());
        *self = Screen { by, sort, filter, ..Screen::default() };
    }

    fn select(&mut self, row: usize) {
        self.selected = row.min(self.rows.len().saturating_sub(1));
        self.follows_selection = self.rows.get(self.selected).map(|row| row.key);
    }

    fn expand(&mut self, trace: Option<&Trace>) {
        let Some((row, trace)) = self.rows.get(self.selected).zip(trace) else { return };
        let key = row.key;
        self.expanded = match &self.expanded {
            Some(expanded) if expanded.key == key => None,
            _ => Some(Expanded { key, paths: paths(trace, &self.since, self.by, key, PATHS) }),
        };
    }

    /// Filters by what has been typed so far; by nothing where nothing has.
    fn try_filter(&mut self) {
        let Some(typed) = self.typing.as_deref() else { return };
        let regex = (!typed.is_empty()).then(|| Regex::new(typed));
        self.bad_filter = matches!(regex, Some(Err(_)));
        if !self.bad_filter {
            self.filter = regex.and_then(Result::ok);
        }
    }

    /// Sums up what the trace has come to. The row that was selected stays so, wherever it comes to stand.
    pub fn update(&mut self, trace: &Trace) {
        let grown = rows(trace, &self.since, self.by);
        self.rows_in_all = grown.len();
        let row = |(key, grown): (Key, Grown)| {
            let sub = names::sub(trace, key.sub);
            let (place, sub) = match self.by {
                By::Sub => (sub, String::new()),
                By::Line if trace.sub(key.sub).kind == SubKind::Pools => (sub, String::new()),
                By::Line if key.line == 0 => ("(no statement)".to_owned(), sub),
                By::Line => (format!("{}:{}", names::string(trace, key.file), key.line), sub),
            };
            Row { key, grown, place, sub }
        };
        let passes = |row: &Row| {
            let filter = self.filter.as_ref();
            filter.is_none_or(|filter| filter.is_match(&row.place) || filter.is_match(&row.sub))
        };
        let mut order = grown;
        let by = |grown: &Grown| match self.sort {
            Sort::Grown => (grown.grown_bytes, grown.live_bytes),
            Sort::Live => (grown.live_bytes, grown.grown_bytes),
            Sort::Allocated => (grown.allocated_bytes, grown.grown_bytes),
            Sort::Scalars => (grown.grown_scalars, grown.grown_bytes),
        };
        order.sort_by_key(|(_, grown)| Reverse(by(grown)));
        // Names of a big program's rows take long to make, and nobody scrolls through so many.
        self.rows = order.into_iter().map(row).filter(passes).take(MOST_ROWS).collect();
        let followed = self.follows_selection.and_then(|key| self.rows.iter().position(|row| row.key == key));
        self.selected = followed.unwrap_or(self.selected).min(self.rows.len().saturating_sub(1));
        if let Some(Expanded { key, .. }) = self.expanded {
            self.expanded = Some(Expanded { key, paths: paths(trace, &self.since, self.by, key, PATHS) });
        }
    }
}

/// Rows that can be scrolled through.
const MOST_ROWS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::reader::Look;
    use std::path::PathBuf;

    fn screen() -> (Screen, Follower) {
        let mut follower = Follower::new(PathBuf::from("t/data/v1.mprof"));
        assert_eq!(follower.look().unwrap(), Look::More);
        let mut screen = Screen::new();
        screen.update(follower.trace().unwrap());
        (screen, follower)
    }

    #[test]
    fn rows_are_sorted_by_what_is_asked_for() {
        let (mut screen, follower) = screen();
        for sort in [Sort::Live, Sort::Allocated, Sort::Scalars, Sort::Grown] {
            let figure = |row: &Row| match sort {
                Sort::Live => row.grown.live_bytes,
                Sort::Allocated => row.grown.allocated_bytes,
                Sort::Scalars => row.grown.grown_scalars,
                Sort::Grown => row.grown.grown_bytes,
            };
            screen.act(Action::Sort(sort), &follower);
            assert!(screen.rows.iter().map(figure).is_sorted_by(|a, b| a >= b), "{sort:?}");
        }
    }

    #[test]
    fn a_selected_row_stays_selected_wherever_it_comes_to_stand() {
        let (mut screen, follower) = screen();
        screen.act(Action::Move(3), &follower);
        let key = screen.rows[3].key;
        for action in [Action::SinceNow, Action::Sort(Sort::Live), Action::SinceStart, Action::Sort(Sort::Scalars)] {
            screen.act(action, &follower);
            assert_eq!(screen.rows[screen.selected].key, key);
        }
        screen.act(Action::Move(-99), &follower);
        assert_eq!(screen.selected, 0);
        screen.act(Action::Last, &follower);
        assert_eq!(screen.selected, screen.rows.len() - 1);
    }

    #[test]
    fn a_filter_works_while_it_is_typed() {
        let (mut screen, follower) = screen();
        let all = screen.rows.len();
        screen.act(Action::Filter, &follower);
        for c in "Foo::".chars() {
            screen.act(Action::Type(c), &follower);
        }
        let some = screen.rows.len();
        assert!(0 < some && some < all && screen.rows.iter().all(|row| row.sub.contains("Foo::")));
        screen.act(Action::Type('('), &follower);
        assert!(screen.bad_filter && screen.rows.len() == some);
        screen.act(Action::Erase, &follower);
        screen.act(Action::Enter, &follower);
        assert!(!screen.bad_filter && screen.typing.is_none() && screen.rows.len() == some);
        screen.act(Action::Close, &follower);
        assert_eq!(screen.rows.len(), all);
    }

    #[test]
    fn nothing_has_grown_since_now() {
        let (mut screen, follower) = screen();
        screen.act(Action::SinceNow, &follower);
        assert!(screen.rows.iter().all(|row| row.grown.grown_bytes == 0 && row.grown.live_bytes > 0));
        screen.act(Action::Switch, &follower);
        assert!(screen.rows.iter().any(|row| row.place == "Foo::new"));
        screen.act(Action::Expand, &follower);
        assert!(screen.expanded.is_some());
        screen.act(Action::Expand, &follower);
        assert!(screen.expanded.is_none());
    }
}
