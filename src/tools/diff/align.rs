//! Two lists of lines, in order, side by side: which line of the one is which of the other.

/// More pairs than these are not weighed one by one: then only lines that are where they are expected are paired.
const MOST_PAIRS: usize = 1 << 20;

/// What speaks for two lines being the same. Text is put in before a sub more often than into the code behind it, so a
/// line has mostly moved as far as the sub before it.
const AS_BEFORE: u32 = 5;
const AS_AFTER: u32 = 4;
const CALLS_THE_SAME: u32 = 3;
const IN_ORDER: u32 = 1;

/// A line, and what it calls: 0 for nothing, else a number that tells one set of subs from another.
pub(super) type Line = (u32, u64);

/// For each line of `old`, the index of the line of `new` that it is, if any; later lines never before earlier ones.
/// `shifts` tells how far a line may have moved: as what stands before it, or as what stands after it.
///
/// The pairs that have most for them in all are found as two texts are compared (Needleman and Wunsch, 1970), a line left
/// alone counting nothing.
pub(super) fn align(old: &[Line], new: &[Line], shifts: impl Fn(u32) -> [i64; 2]) -> Vec<Option<usize>> {
    let expected = |old: u32, new: u32| match (i64::from(new) - i64::from(old), shifts(old)) {
        (shift, [before, _]) if shift == before => AS_BEFORE,
        (shift, [_, after]) if shift == after => AS_AFTER,
        _ => 0,
    };
    if old.len() * new.len() > MOST_PAIRS {
        let at = |line: i64| new.binary_search_by_key(&line, |&(new, _)| new.into()).ok();
        return old
            .iter()
            .map(|&(line, _)| shifts(line).iter().find_map(|shift| at(i64::from(line) + shift)))
            .collect();
    }
    let score = |a: &Line, b: &Line| {
        let same_calls = if a.1 == b.1 && a.1 != 0 { CALLS_THE_SAME } else { 0 };
        IN_ORDER + same_calls + expected(a.0, b.0)
    };
    // By row and column: the best that can be had of what comes from there on.
    let width = new.len() + 1;
    let mut best = vec![0u32; (old.len() + 1) * width];
    let get = |best: &[u32], row: usize, column: usize| best.get(row * width + column).copied().unwrap_or(0);
    for (row, a) in old.iter().enumerate().rev() {
        for (column, b) in new.iter().enumerate().rev() {
            let paired = get(&best, row + 1, column + 1) + score(a, b);
            let value = paired.max(get(&best, row + 1, column)).max(get(&best, row, column + 1));
            if let Some(slot) = best.get_mut(row * width + column) {
                *slot = value;
            }
        }
    }
    let mut pairs = vec![None; old.len()];
    let (mut row, mut column) = (0, 0);
    while let (Some(a), Some(b)) = (old.get(row), new.get(column)) {
        let value = get(&best, row, column);
        if value == get(&best, row + 1, column + 1) + score(a, b) {
            if let Some(pair) = pairs.get_mut(row) {
                *pair = Some(column);
            }
            (row, column) = (row + 1, column + 1);
        } else if value == get(&best, row + 1, column) {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(old: &[u32], new: &[u32], shift: i64) -> Vec<(u32, u32)> {
        let line = |&line: &u32| (line, 0);
        let (a, b): (Vec<Line>, Vec<Line>) = (old.iter().map(line).collect(), new.iter().map(line).collect());
        let found = align(&a, &b, |_| [shift, shift]);
        old.iter().zip(found).filter_map(|(&old, at)| Some((old, new[at?]))).collect()
    }

    #[test]
    fn lines_that_all_moved_are_paired() {
        assert_eq!(pairs(&[3, 5, 9], &[13, 15, 19], 10), [(3, 13), (5, 15), (9, 19)]);
    }

    #[test]
    fn a_line_more_or_less_leaves_the_others_paired() {
        assert_eq!(pairs(&[3, 5, 9], &[3, 4, 5, 9], 0), [(3, 3), (5, 5), (9, 9)]);
        assert_eq!(pairs(&[3, 4, 5, 9], &[3, 5, 9], 0), [(3, 3), (5, 5), (9, 9)]);
    }

    #[test]
    fn a_line_has_moved_as_what_stands_before_it_if_it_can() {
        let lines = |lines: &[u32]| lines.iter().map(|&line| (line, 0)).collect::<Vec<Line>>();
        let found = align(&lines(&[10, 17, 24]), &lines(&[10, 17, 24, 31]), |_| [7, 0]);
        assert_eq!(found, [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn lines_that_moved_otherwise_are_paired_in_order() {
        assert_eq!(pairs(&[3, 5, 9], &[3, 6, 11], 0), [(3, 3), (5, 6), (9, 11)]);
    }

    #[test]
    fn what_a_line_calls_tells_it_from_its_neighbours() {
        let old = [(1, 7), (2, 8)];
        let new = [(4, 9), (5, 7), (6, 8)];
        assert_eq!(align(&old, &new, |_| [0, 0]), [Some(1), Some(2)]);
    }

    #[test]
    fn very_long_lists_are_paired_where_lines_are_expected() {
        let old: Vec<Line> = (1..2000).map(|line| (line, 0)).collect();
        let new: Vec<Line> = (1..2000).map(|line| (line + 7, 0)).collect();
        assert!(align(&old, &new, |_| [0, 7]).iter().all(Option::is_some));
    }
}
