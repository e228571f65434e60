//! How far reading has come, as a bar on standard error: only on a terminal, and only where one would wonder.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::time::{Duration, Instant};

/// Nobody wonders before that.
const PATIENCE: Duration = Duration::from_secs(1);

/// A file that shows how much of it has been read.
pub struct Watched {
    file: File,
    started: Instant,
    read_bytes: u64,
    bar: Option<ProgressBar>,
}

impl Watched {
    /// A file of which nothing has been read yet.
    pub fn new(file: File) -> Self {
        Watched { file, started: Instant::now(), read_bytes: 0, bar: None }
    }

    fn show(&mut self) {
        let length = self.file.metadata().map_or(0, |metadata| metadata.len());
        let bar = self.bar.get_or_insert_with(|| {
            let target = ProgressDrawTarget::stderr();
            let style = ProgressStyle::with_template("reading {wide_bar} {bytes} of {total_bytes}");
            ProgressBar::with_draw_target(Some(length), target)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_position(self.read_bytes);
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read_bytes += count as u64;
        if self.started.elapsed() > PATIENCE && io::stderr().is_terminal() {
            self.show();
        }
        Ok(count)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
