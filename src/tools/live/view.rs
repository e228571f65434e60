//! The screen as it looks: from 80 columns and 24 rows on, in any terminal.

use super::growth::{By, Grown};
use super::screen::{Row, Screen, Sort};
use crate::format::records::TimePoint;
use crate::tools::document::Value;
use crate::tools::profile::{names, pages_in_bytes};
use crate::tools::reader::Follower;
use crate::tools::render::{human, keep_end, keep_ends, printable};
use crate::tools::trace::Trace;
use ratatui::backend::TestBackend;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Sparkline};
use ratatui::{Frame, Terminal};

/// Width of the label of a time line.
const LABEL_COLUMNS: u16 = 34;

/// Widths of the columns of figures.
const FIGURE_COLUMNS: usize = 10;

const HELP: &[&str] = &[
    "g  sort by growth of the live bytes     up down   choose a row (k j too)",
    "l  sort by live bytes                   PgUp PgDn by ten rows",
    "a  sort by bytes allocated              Enter     the calls that lead to it",
    "s  sort by growth of the scalars        /         filter by file or sub",
    "v  by line or by sub                    Esc       forget the filter",
    "r  count growth from now on             p, blank  hold the screen",
    "R  count growth from the start          q         quit",
    "",
    "Growth is of what was allocated there and lives, whoever frees it. What",
    "grows with every mark, or every minute, and never shrinks is a leak.",
];

/// Draws the screen. `reading`: not all that is there has been read yet.
pub fn draw(frame: &mut Frame, screen: &Screen, follower: &Follower, reading: bool) {
    let areas = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ]);
    let [title, totals, live, resident, head, body, foot] = areas.areas(frame.area());
    let Some(trace) = follower.trace() else {
        let path = printable(&follower.path().to_string_lossy()).into_owned();
        frame.render_widget(Paragraph::new(format!("waiting for {path}")), title);
        draw_foot(frame, foot, screen);
        return;
    };
    frame.render_widget(Paragraph::new(title_line(trace, follower, reading, title.width.into())), title);
    frame.render_widget(Paragraph::new(totals_line(trace)), totals);
    draw_timeline(frame, live, trace, "live heap", |point| point.live_bytes);
    let page_bytes = |point: &TimePoint| pages_in_bytes(trace, point.resident_pages);
    draw_timeline(frame, resident, trace, "resident", page_bytes);
    draw_table(frame, head, body, screen, since_text(screen, trace));
    draw_foot(frame, foot, screen);
    if screen.help {
        draw_help(frame, body);
    }
}

/// The screen as text, a line each, without colours.
pub fn text(screen: &Screen, follower: &Follower, width: u16, height: u16) -> String {
    // Drawing into memory does not fail.
    let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height)) else { return String::new() };
    if terminal.draw(|frame| draw(frame, screen, follower, false)).is_err() {
        return String::new();
    }
    let buffer = terminal.backend().buffer();
    let line = |row: u16| {
        let cells = (0..width).filter_map(|column| buffer.cell((column, row)));
        cells.map(|cell| cell.symbol()).collect::<String>()
    };
    (0..height).map(|row| format!("{}\n", line(row).trim_end())).collect()
}

fn bytes(bytes: u64) -> String {
    human(&Value::Bytes(bytes))
}

fn duration(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn title_line(trace: &Trace, follower: &Follower, reading: bool, width: usize) -> Line<'static> {
    let header = &trace.header;
    let state = match (&trace.end, follower.fault()) {
        (Some(_), _) => "ended".to_owned(),
        (None, Some(fault)) => format!("unreadable from here on: {fault}"),
        (None, None) if reading => {
            let (read, whole) = follower.progress_bytes();
            format!("reading, {} %", read.saturating_mul(100) / whole.max(1))
        }
        (None, None) => "running".to_owned(),
    };
    let right = format!("  {state}  {}", duration(trace.last_time_ns()));
    let words: Vec<String> = header.command_line.iter().map(|word| names::text(word)).collect();
    let left = format!("{}  {}", header.pid, printable(&words.join(" ")));
    let room = width.saturating_sub(right.chars().count());
    let left = keep_ends(&left, room);
    let gap = " ".repeat(room.saturating_sub(left.chars().count()));
    Line::from(vec![Span::styled(left, Style::new().add_modifier(Modifier::BOLD)), Span::raw(gap), Span::raw(right)])
}

fn totals_line(trace: &Trace) -> String {
    let marks = trace.marks();
    let totals = trace.last_totals();
    let resident = bytes(pages_in_bytes(trace, totals.resident_pages));
    let (live, peak) = (bytes(totals.live_bytes), bytes(totals.peak_bytes));
    let mut line = format!("live {live}  peak {peak}  resident {resident}  scalars {}", totals.scalars);
    if marks > 0 {
        line.push_str(&format!("  marks {marks}"));
    }
    line
}

fn since_text(screen: &Screen, trace: &Trace) -> String {
    if screen.since.snapshots == 0 {
        return "since the start".to_owned();
    }
    let time = duration(trace.last_time_ns().saturating_sub(screen.since.time_ns));
    match trace.marks().saturating_sub(screen.since.marks) {
        0 => format!("in {time}"),
        marks => format!("in {time}, {marks} marks"),
    }
}

/// A graph over the whole time, each column the highest of its stretch; what all have in common is cut off below.
fn draw_timeline(frame: &mut Frame, area: Rect, trace: &Trace, name: &str, of: impl Fn(&TimePoint) -> u64) {
    let [label, graph] = Layout::horizontal([Constraint::Length(LABEL_COLUMNS), Constraint::Min(1)]).areas(area);
    let columns = columns(trace, graph.width.into(), of);
    let (low, high) = (columns.iter().min().copied().unwrap_or(0), columns.iter().max().copied().unwrap_or(0));
    let text =
        vec![Line::from(format!("{name} over time")), Line::from(format!("  {} to {}", bytes(low), bytes(high)))];
    frame.render_widget(Paragraph::new(text), label);
    let bars: Vec<u64> = columns.iter().map(|value| value - low).collect();
    frame.render_widget(Sparkline::default().data(bars).style(Style::new().fg(Color::Cyan)), graph);
}

/// The highest value of each of `count` stretches of the time so far; a stretch without a point is as the one before.
fn columns(trace: &Trace, count: usize, of: impl Fn(&TimePoint) -> u64) -> Vec<u64> {
    let last_ns = trace.timeline.last().map_or(0, |point| point.time_ns);
    let mut highest: Vec<Option<u64>> = vec![None; count];
    for point in &trace.timeline {
        let at = u128::from(point.time_ns) * count as u128 / (u128::from(last_ns) + 1);
        if let Some(slot) = highest.get_mut(usize::try_from(at).unwrap_or(usize::MAX)) {
            *slot = Some(slot.map_or(of(point), |value| value.max(of(point))));
        }
    }
    let mut before = trace.timeline.first().map_or(0, of);
    let filled = highest.into_iter().map(|value| {
        before = value.unwrap_or(before);
        before
    });
    filled.collect()
}

fn figures(texts: [&str; 4]) -> String {
    texts.map(|text| format!("{text:>FIGURE_COLUMNS$} ")).concat()
}

fn grown_texts(grown: &Grown) -> String {
    let bytes = |bytes: i64| human(&Value::SignedBytes(bytes));
    let scalars = grown.grown_scalars.to_string();
    figures([&bytes(grown.grown_bytes), &bytes(grown.live_bytes), &bytes(grown.allocated_bytes), &scalars])
}

fn row_text(row: &Row, width: usize) -> String {
    let room = width.saturating_sub(4 * (FIGURE_COLUMNS + 1) + 1);
    let name = if row.sub.is_empty() {
        keep_ends(&printable(&row.place), room)
    } else {
        // The line says most; the sub has what is left.
        let (place, sub) = (printable(&row.place), printable(&row.sub));
        let place = keep_end(&place, room.saturating_sub(sub.chars().count() + 2).max(room * 3 / 5));
        let sub = keep_ends(&sub, room.saturating_sub(place.chars().count() + 2));
        format!("{place}  {sub}")
    };
    format!("{} {name}", grown_texts(&row.grown))
}

fn draw_table(frame: &mut Frame, head: Rect, body: Rect, screen: &Screen, since: String) {
    let sorted =
        |sort: Sort, text: &'static str| if screen.sort == sort { format!("{text}*") } else { text.to_owned() };
    let texts = [
        sorted(Sort::Grown, "grown"),
        sorted(Sort::Live, "live"),
        sorted(Sort::Allocated, "allocated"),
        sorted(Sort::Scalars, "scalars"),
    ];
    let what = if screen.by == By::Line { "line, sub" } else { "sub" };
    let heading = format!("{} {what}  ({since})", figures([&texts[0], &texts[1], &texts[2], &texts[3]]));
    frame.render_widget(Paragraph::new(heading).style(Style::new().add_modifier(Modifier::REVERSED)), head);

    let (width, height) = (usize::from(body.width), usize::from(body.height));
    let mut lines: Vec<Line> = Vec::new();
    let mut selected_at = 0;
    for (at, row) in screen.rows.iter().enumerate() {
        let style = match at == screen.selected {
            true => Style::new().add_modifier(Modifier::BOLD).fg(Color::Yellow),
            false => Style::new(),
        };
        if at == screen.selected {
            selected_at = lines.len();
        }
        let marker = if at == screen.selected { '>' } else { ' ' };
        let mut text = row_text(row, width);
        text.replace_range(0..1, marker.encode_utf8(&mut [0; 4]));
        lines.push(Line::styled(text, style));
        let expanded = screen.expanded.as_ref().filter(|expanded| expanded.key == row.key);
        for (path, grown) in expanded.iter().flat_map(|expanded| &expanded.paths) {
            let path =
                if path.is_empty() { "(called by nothing)".to_owned() } else { format!("< {}", path.join(" < ")) };
            let room = width.saturating_sub(4 * (FIGURE_COLUMNS + 1) + 3);
            let path = keep_ends(&printable(&path), room);
            let text = format!("{}   {path}", grown_texts(grown));
            lines.push(Line::styled(text, Style::new().add_modifier(Modifier::DIM)));
        }
        // As far as can be seen.
        if lines.len() > selected_at + height && at > screen.selected {
            break;
        }
    }
    let first = selected_at.saturating_sub(height / 2).min(lines.len().saturating_sub(height));
    lines.drain(..first);
    frame.render_widget(Paragraph::new(lines), body);
}

fn draw_foot(frame: &mut Frame, area: Rect, screen: &Screen) {
    let style = Style::new().add_modifier(Modifier::REVERSED);
    let text = match (&screen.typing, &screen.filter) {
        (Some(typed), _) => {
            let wrong = if screen.bad_filter { "   (no regular expression yet)" } else { "" };
            format!("filter: {}_{wrong}", printable(typed))
        }
        (None, Some(filter)) => {
            format!(
                "{} of {} rows match {}   Esc: all   ? help   q quit",
                screen.rows.len(),
                screen.rows_in_all,
                printable(filter.as_str())
            )
        }
        (None, None) => {
            let held = if screen.paused { "HELD (p goes on)   " } else { "" };
            format!("{held}? help  g l a s sort  v line/sub  Enter calls  / filter  r from now  q quit")
        }
    };
    frame.render_widget(Paragraph::new(text).style(style), area);
}

fn draw_help(frame: &mut Frame, area: Rect) {
    let height = u16::try_from(HELP.len()).unwrap_or(area.height).min(area.height);
    let area = Rect { height, ..area };
    frame.render_widget(Clear, area);
    let lines: Vec<Line> = HELP.iter().map(|&line| Line::from(format!(" {line}"))).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::live::screen::Action;
    use std::path::PathBuf;

    fn shown(actions: &[Action], width: u16, height: u16) -> String {
        let mut follower = Follower::new(PathBuf::from("t/data/v1.mprof"));
        follower.look().unwrap();
        let mut screen = Screen::new();
        screen.update(follower.trace().unwrap());
        actions.iter().for_each(|action| screen.act(action.clone(), &follower));
        text(&screen, &follower, width, height)
    }

    #[test]
    fn eighty_columns_and_twenty_four_rows_are_enough() {
        let page = shown(&[], 80, 24);
        assert_eq!(page.lines().count(), 24, "{page}");
        for expected in
            ["4242  perl -d:MProf run.pl", "ended  0:00:02", "live 3.1 MiB", "grown*", "List::Util::first", "? help"]
        {
            assert!(page.contains(expected), "{expected}\n{page}");
        }
        assert!(page.lines().any(|line| line.starts_with('>')), "{page}");
        assert!(!page.contains('\x1b'), "{page:?}");
    }

    #[test]
    fn keys_change_what_is_seen() {
        let by_sub = shown(&[Action::Switch], 80, 24);
        assert!(!by_sub.contains("lib/Foo.pm:") && by_sub.contains("Foo::visit"), "{by_sub}");
        let help = shown(&[Action::Help], 80, 24);
        assert!(help.contains("sort by live bytes"), "{help}");
        let expanded = shown(&[Action::Expand], 100, 24);
        assert!(expanded.contains("< "), "{expanded}");
        let filtered =
            shown(&[Action::Filter, Action::Type('w'), Action::Type('a'), Action::Type('l'), Action::Enter], 80, 24);
        assert!(filtered.contains("rows match wal") && !filtered.contains("Foo::new"), "{filtered}");
    }

    #[test]
    fn no_window_is_too_small() {
        for (width, height) in [(1, 1), (10, 3), (20, 8), (40, 10)] {
            shown(&[Action::Help, Action::Expand, Action::Last], width, height);
        }
    }

    #[test]
    fn what_is_waited_for_is_named() {
        let follower = Follower::new(PathBuf::from("/nonexistent/mprof.bin"));
        assert!(text(&Screen::new(), &follower, 80, 24).starts_with("waiting for /nonexistent/mprof.bin"));
    }
}
