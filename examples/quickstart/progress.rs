//! How far something is: a bar on a terminal, elsewhere a line every few seconds.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::time::Duration;

/// The pause between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(3);

pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    /// When the last line was printed, since the beginning.
    printed: Duration,
}

impl Progress {
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        let style =
            ProgressStyle::with_template("{msg:20} {wide_bar} {human_pos} of {human_len}, {eta} left")
                .expect("the template is well-formed");
        let bar = ProgressBar::new(total as u64).with_style(style).with_message(what);
        Progress { bar, what, printed: Duration::ZERO }
    }

    pub(crate) fn reached(&mut self, done: usize) {
        self.bar.set_position(done as u64);
        if self.bar.is_hidden() && self.bar.elapsed() >= self.printed + PAUSE {
            self.printed = self.bar.elapsed();
            let total = self.bar.length().unwrap_or_default();
            eprintln!("{}: {} of {}", self.what, HumanCount(done as u64), HumanCount(total));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
