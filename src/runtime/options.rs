//! The options of a run: `-d:MProf=key=value,…` and `MPROF=key=value:…`.

use std::time::Duration;

/// When /proc/self/statm is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatmMode {
    /// At a boundary after the heap's end or a mapping has moved, or a tick has passed.
    Auto,
    /// At every entry and exit.
    Every,
    /// Only with a snapshot.
    Off,
}

/// How calls and statements are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookMode {
    /// By wrapping the ops.
    Op,
    /// By perl's own `DB::sub` and `DB::DB`.
    Db,
}

/// When recording starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartMode {
    /// At once, so that loading modules is seen.
    Begin,
    /// When the program has been compiled.
    Init,
    /// When `Devel::MProf::start()` is called.
    No,
}

/// When a snapshot is a full one, with a sample of the heap. One that is asked for, by the program or by a signal, may
/// always be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullMode {
    /// At the end, and when the number of marks, or the time, has doubled.
    Auto,
    /// At the end and every so many marks.
    Every(u64),
    /// Only when asked for.
    Off,
}

/// All options; [`Options::default`] is what holds where nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where the trace goes. Default `mprof.bin`, in the directory at the start.
    pub file: Vec<u8>,
    /// Default `auto`.
    pub statm: StatmMode,
    /// Default `op`.
    pub hook: HookMode,
    /// Know the line of every allocation? Default yes.
    pub lines: bool,
    /// Know what is live, and where it was born? Default yes.
    pub live: bool,
    /// Know the birthplace of every live scalar? Default yes.
    pub ledger: bool,
    /// Check the ledger against perl's arenas at every snapshot, and complain? Default no; for tests.
    pub verify: bool,
    /// Time between two snapshots. Default: as [`Options::interval_at`] says.
    pub interval: Option<Duration>,
    /// Default `begin`.
    pub start: StartMode,
    /// The call tree grows no deeper than this. Default 1000 calls.
    pub depth: u32,
    /// The sub whose every return is a mark, with its package. Default none.
    pub mark: Vec<u8>,
    /// The signal that is a mark, with a full snapshot: its number and its name. Default none.
    pub signal: Option<(i32, &'static str)>,
    /// Default `auto`.
    pub full: FullMode,
    /// Write every entry and exit? Default no.
    pub calls: bool,
    /// Bytes that these may take in the trace. Default 1 GiB.
    pub calls_max_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file: b"mprof.bin".to_vec(),
            statm: StatmMode::Auto,
            hook: HookMode::Op,
            lines: true,
            live: true,
            ledger: true,
            verify: false,
            interval: None,
            start: StartMode::Begin,
            depth: 1000,
            mark: Vec::new(),
            signal: None,
            full: FullMode::Auto,
            calls: false,
            calls_max_bytes: 1 << 30,
        }
    }
}

const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
const RUN_OF_INTERVAL: u32 = 32;

/// Less than one record would fill.
const FEWEST_CALLS_BYTES: u64 = 64 << 10;

/// Signals that nobody sends but on purpose.
const SIGNALS: [(&str, i32); 4] =
    [("USR1", libc::SIGUSR1), ("USR2", libc::SIGUSR2), ("HUP", libc::SIGHUP), ("WINCH", libc::SIGWINCH)];

const KNOWN: &str =
    "file=PATH, statm=auto|every|off, hook=op|db, lines=1|0, live=1|0, ledger=1|0, verify=0|1, interval=auto|SECONDS (0.05 to 86400), \
                     start=begin|init|no, depth=CALLS (1 to 100000), \
                     mark=PACKAGE::SUB, signal=USR1|USR2|HUP|WINCH, full=auto|off|MARKS, \
                     calls=0|1, calls_max=BYTES (as 500M; from 64k)";

fn one_of<T: Copy>(value: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(name, _)| *name == value).map(|&(_, choice)| choice)
}

const SWITCH: [(&str, bool); 2] = [("1", true), ("0", false)];

impl Options {
    /// Sets one option.
    ///
    /// # Errors
    /// A sentence that names the key or the value and lists what is known.
    pub fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(value);
        let done = match key {
            b"file" => (!value.is_empty() && !value.contains(&0)).then(|| self.file = value.to_vec()),
            b"statm" => {
                let choices = [("auto", StatmMode::Auto), ("every", StatmMode::Every), ("off", StatmMode::Off)];
                one_of(&text, &choices).map(|mode| self.statm = mode)
            }
            b"hook" => one_of(&text, &[("op", HookMode::Op), ("db", HookMode::Db)]).map(|mode| self.hook = mode),
            b"lines" => one_of(&text, &SWITCH).map(|on| self.lines = on),
            b"live" => one_of(&text, &SWITCH).map(|on| self.live = on),
            b"ledger" => one_of(&text, &SWITCH).map(|on| self.ledger = on),
            b"verify" => one_of(&text, &SWITCH).map(|on| self.verify = on),
            b"interval" => {
                let interval = if text == "auto" { Some(None) } else { seconds(&text).map(Some) };
                interval.map(|interval| self.interval = interval)
            }
            b"start" => {
                let choices = [("begin", StartMode::Begin), ("init", StartMode::Init), ("no", StartMode::No)];
                one_of(&text, &choices).map(|mode| self.start = mode)
            }
            b"depth" => text.parse().ok().filter(|depth| (1..=100_000).contains(depth)).map(|depth| self.depth = depth),
            b"mark" => is_sub_name(value).then(|| self.mark = value.to_vec()),
            b"signal" => {
                let name = text.strip_prefix("SIG").unwrap_or(&text);
                let known = SIGNALS.into_iter().find(|&(known, _)| known == name);
                known.map(|(name, number)| self.signal = Some((number, name)))
            }
            b"full" => full_mode(&text).map(|mode| self.full = mode),
            b"calls" => one_of(&text, &SWITCH).map(|on| self.calls = on),
            b"calls_max" => {
                bytes(&text).filter(|&bytes| bytes >= FEWEST_CALLS_BYTES).map(|bytes| self.calls_max_bytes = bytes)
            }
            _ => return Err(format!("unknown option '{}'; known are: {KNOWN}", String::from_utf8_lossy(key))),
        };
        done.ok_or_else(|| {
            format!("bad value '{text}' for option '{}'; known are: {KNOWN}", String::from_utf8_lossy(key))
        })
    }

    /// Time between two snapshots when the program has run for `now`: what was asked for, or a second at first and one
    /// [`RUN_OF_INTERVAL`]th of the run later, up to a minute, so that the trace of a server does not grow with time alone.
    pub fn interval_at(&self, now: Duration) -> Duration {
        self.interval.unwrap_or((now / RUN_OF_INTERVAL).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL))
    }

    /// Time between two snapshots while the heap changes much.
    pub fn shortest_interval(&self) -> Duration {
        self.interval.unwrap_or(SHORTEST_INTERVAL)
    }

    /// Every option with its value, as text.
    pub fn list(&self) -> Vec<(String, String)> {
        let switch = |on: bool| if on { "1" } else { "0" }.to_string();
        let statm = match self.statm {
            StatmMode::Auto => "auto",
            StatmMode::Every => "every",
            StatmMode::Off => "off",
        };
        let start = match self.start {
            StartMode::Begin => "begin",
            StartMode::Init => "init",
            StartMode::No => "no",
        };
        let hook = if self.hook == HookMode::Op { "op" } else { "db" };
        let pairs = [
            ("file", String::from_utf8_lossy(&self.file).into_owned()),
            ("statm", statm.to_string()),
            ("hook", hook.to_string()),
            ("lines", switch(self.lines)),
            ("live", switch(self.live)),
            ("ledger", switch(self.ledger)),
            ("verify", switch(self.verify)),
            ("interval", self.interval.map_or("auto".to_string(), |interval| interval.as_secs_f64().to_string())),
            ("start", start.to_string()),
            ("depth", self.depth.to_string()),
            ("calls", switch(self.calls)),
            ("calls_max", self.calls_max_bytes.to_string()),
            ("mark", String::from_utf8_lossy(&self.mark).into_owned()),
            ("signal", self.signal.map_or(String::new(), |(_, name)| name.to_string())),
            (
                "full",
                match self.full {
                    FullMode::Auto => "auto".to_string(),
                    FullMode::Every(marks) => marks.to_string(),
                    FullMode::Off => "off".to_string(),
                },
            ),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
    }
}

/// A number of bytes, with k, M or G after it for powers of 1024.
fn bytes(text: &str) -> Option<u64> {
    let units = [("k", 10), ("K", 10), ("M", 20), ("G", 30)];
    let (digits, shift) =
        units.into_iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift))).unwrap_or((text, 0));
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn full_mode(text: &str) -> Option<FullMode> {
    match text {
        "auto" => Some(FullMode::Auto),
        "off" => Some(FullMode::Off),
        marks => marks.parse().ok().filter(|&marks| marks > 0).map(FullMode::Every),
    }
}

/// A sub's name with its package: what a sub of the program could be called.
fn is_sub_name(name: &[u8]) -> bool {
    let mut parts = name.split(|&byte| byte == b':');
    name.windows(2).any(|pair| pair == b"::")
        && !name.contains(&0)
        && parts.next().is_some_and(|first| !first.is_empty())
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (0.05..=86400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_takes_its_values() {
        let mut options = Options::default();
        let settings = [
            "file=/tmp/x",
            "statm=every",
            "hook=db",
            "lines=0",
            "live=0",
            "ledger=0",
            "verify=1",
            "interval=0.5",
            "interval=auto",
            "start=no",
            "depth=7",
        ];
        for setting in settings {
            let (key, value) = setting.split_once('=').unwrap();
            assert_eq!(options.set(key.as_bytes(), value.as_bytes()), Ok(()), "{setting}");
            assert!(options.list().contains(&(key.into(), value.into())), "{setting}");
        }
    }

    #[test]
    fn the_interval_grows_with_the_run_unless_one_was_asked_for() {
        let at = |options: &Options, seconds| options.interval_at(Duration::from_secs(seconds)).as_secs_f64();
        let mut options = Options::default();
        assert_eq!([0, 32, 320, 1920, 1 << 30].map(|seconds| at(&options, seconds)), [1.0, 1.0, 10.0, 60.0, 60.0]);
        options.set(b"interval", b"5").unwrap();
        assert_eq!(
            ([0, 1 << 30].map(|seconds| at(&options, seconds)), options.shortest_interval().as_secs()),
            ([5.0, 5.0], 5)
        );
        options.set(b"interval", b"auto").unwrap();
        assert_eq!(options.interval, None);
    }

    #[test]
    fn unknown_keys_and_bad_values_are_named_and_the_known_listed() {
        for setting in ["fiel=x", "statm=maybe", "interval=0", "interval=nan", "depth=0", "lines=yes", "file="] {
            let (key, value) = setting.split_once('=').unwrap();
            let error = Options::default().set(key.as_bytes(), value.as_bytes()).unwrap_err();
            assert!(error.contains(&format!("'{key}'")) && error.contains("hook=op|db"), "{setting}: {error}");
        }
    }
}
