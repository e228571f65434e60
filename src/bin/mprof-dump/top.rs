//! `mprof-dump top`: a trace that is being written, on a screen.

use clap::Args;
use mprof::tools::live::growth::Since;
use mprof::tools::live::process::{trace_of, ProcessError};
use mprof::tools::live::screen::{Action, Screen, Sort};
use mprof::tools::live::view::{draw, text};
use mprof::tools::reader::{Follower, Look, ReadError};
use ratatui::crossterm::event::{poll, read, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::DefaultTerminal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How soon a signal is obeyed.
const WAIT: Duration = Duration::from_millis(100);

/// Size of a frame where there is no terminal to fit it to.
const COLUMNS: u16 = 80;
const ROWS: u16 = 24;

/// What `top` is asked for.
#[derive(Args)]
pub struct TopArgs {
    /// The trace to watch, or the number of the process that writes it
    #[arg(value_name = "TRACE|PID")]
    trace: PathBuf,
    /// Wait for the trace where it is not there yet
    #[arg(short, long)]
    follow: bool,
    /// Print one frame as text, with the growth since the start
    #[arg(long)]
    once: bool,
}

/// Why there is nothing to watch, or nothing to watch it on.
#[derive(Debug, Error)]
pub enum TopError {
    /// The trace cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The process has none.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Nobody could read a screen there.
    #[error("top needs a terminal; --once prints one frame")]
    NoTerminal,
    /// The terminal does not do as it is told.
    #[error("cannot use the terminal: {0}")]
    Terminal(io::Error),
}

/// Shows the screen until it is quitted; or the one frame that is to be printed.
///
/// # Errors
/// Where there is nothing to watch, or no terminal.
pub fn run(args: &TopArgs) -> Result<Option<String>, TopError> {
    let mut follower = Follower::new(path(args)?);
    if args.once {
        while look(&mut follower, args.follow)? == Look::More {}
        return Ok(Some(frame(&follower)));
    }
    if !io::stdout().is_terminal() {
        return Err(TopError::NoTerminal);
    }
    // Whatever is wrong with the trace is said on the screen as it was.
    look(&mut follower, args.follow)?;
    let quit = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGHUP, SIGINT] {
        flag::register(signal, quit.clone()).map_err(TopError::Terminal)?;
    }
    // A panic restores the terminal as well: try_init sees to that.
    let terminal = ratatui::try_init().map_err(TopError::Terminal)?;
    let watched = watch(terminal, follower, &quit);
    ratatui::restore();
    watched.map(|()| None)
}

fn path(args: &TopArgs) -> Result<PathBuf, ProcessError> {
    let pid = args.trace.to_str().and_then(|word| word.parse().ok());
    match pid {
        Some(pid) if !args.trace.exists() => trace_of(pid),
        _ => Ok(args.trace.clone()),
    }
}

/// Looks at the file, which has to be there unless it is waited for.
fn look(follower: &mut Follower, waits: bool) -> Result<Look, ReadError> {
    match follower.look()? {
        Look::Nothing if !waits && !follower.path().exists() => {
            let source = io::Error::from(io::ErrorKind::NotFound);
            Err(ReadError::Io { path: follower.path().to_owned(), source })
        }
        look => Ok(look),
    }
}

fn frame(follower: &Follower) -> String {
    let mut screen = Screen::new();
    if let Some(trace) = follower.trace() {
        screen.update(trace);
    }
    let size = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
    let (width, height) = size.map_or((COLUMNS, ROWS), |(width, height)| (width.0, height.0));
    text(&screen, follower, width, height)
}

fn watch(mut terminal: DefaultTerminal, mut follower: Follower, quit: &AtomicBool) -> Result<(), TopError> {
    let mut screen = Screen::new();
    let (mut caught_up, mut dirty) = (false, true);
    let mut looked: Option<Instant> = None;
    let mut snapshots = 0;
    while !quit.load(Ordering::Relaxed) {
        if !screen.paused && looked.is_none_or(|looked| !caught_up || looked.elapsed() >= LOOK_EVERY) {
            let look = follower.look()?;
            looked = Some(Instant::now());
            if look == Look::Another {
                screen.begin_anew();
            }
            if let Some(trace) = follower.trace() {
                if !caught_up && look != Look::More && trace.end.is_none() && trace.snapshots.len() > 1 {
                    // What a server did before one looked is not what one wants to see grow.
                    screen.since = Since::now(trace);
                }
                // Summing up a big trace takes longer than reading a part of it.
                let new = trace.snapshots.len() != snapshots || look == Look::Another;
                if look != Look::More || (caught_up && new) {
                    if new {
                        screen.update(trace);
                    }
                    snapshots = trace.snapshots.len();
                }
            }
            caught_up |= look != Look::More;
            dirty = true;
        }
        if dirty {
            terminal.draw(|frame| draw(frame, &screen, &follower, !caught_up)).map_err(TopError::Terminal)?;
            dirty = false;
        }
        let wait = if caught_up { WAIT } else { Duration::ZERO };
        if poll(wait).map_err(TopError::Terminal)? {
            match read().map_err(TopError::Terminal)? {
                Event::Key(key) if key.kind != KeyEventKind::Release => match action(&key, screen.typing.is_some()) {
                    Pressed::Quit => break,
                    Pressed::Action(action) => screen.act(action, &follower),
                    Pressed::Nothing => (),
                },
                _ => (),
            }
            dirty = true;
        }
    }
    Ok(())
}

/// What a key means.
enum Pressed {
    Quit,
    Action(Action),
    Nothing,
}

fn action(key: &KeyEvent, typing: bool) -> Pressed {
    let action = match key.code {
        KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => return Pressed::Quit,
        KeyCode::Char(c) if typing => Action::Type(c),
        KeyCode::Backspace if typing => Action::Erase,
        KeyCode::Enter if typing => Action::Enter,
        KeyCode::Esc => Action::Close,
        KeyCode::Up | KeyCode::Char('k') => Action::Move(-1),
        KeyCode::Down | KeyCode::Char('j') => Action::Move(1),
        KeyCode::PageUp => Action::Move(-10),
        KeyCode::PageDown => Action::Move(10),
        KeyCode::Home => Action::First,
        KeyCode::End => Action::Last,
        KeyCode::Enter => Action::Expand,
        KeyCode::Char('q') => return Pressed::Quit,
        KeyCode::Char('g') => Action::Sort(Sort::Grown),
        KeyCode::Char('l') => Action::Sort(Sort::Live),
        KeyCode::Char('a') => Action::Sort(Sort::Allocated),
        KeyCode::Char('s') => Action::Sort(Sort::Scalars),
        KeyCode::Char('v') => Action::Switch,
        KeyCode::Char('p' | ' ') => Action::Pause,
        KeyCode::Char('r') => Action::SinceNow,
        KeyCode::Char('R') => Action::SinceStart,
        KeyCode::Char('/') => Action::Filter,
        KeyCode::Char('?' | 'h') => Action::Help,
        _ => return Pressed::Nothing,
    };
    Pressed::Action(action)
}
