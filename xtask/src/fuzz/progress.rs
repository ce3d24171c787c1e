//! What libFuzzer says of a run, read from its lines.

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) executions: u64,
    pub(crate) per_second: u64,
    /// Places in the code that were reached.
    pub(crate) coverage: u64,
    /// Those, and how often, and what was compared there.
    pub(crate) features: u64,
    /// Inputs that each reach something which no other does.
    pub(crate) corpus: u64,
    /// The most memory, in MiB.
    pub(crate) peak_mib: u64,
    /// The file with the input that a fault was found by.
    pub(crate) reproducer: Option<String>,
}

impl Progress {
    /// Takes note of a line. What is none of libFuzzer's changes nothing.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix('#') {
            self.read_status(rest);
        } else if let Some(statistic) = line.strip_prefix("stat::") {
            let mut words = statistic.split_whitespace();
            let (Some(name), Some(Ok(number))) = (words.next(), words.next().map(str::parse)) else { return };
            match name {
                "number_of_executed_units:" => self.executions = number,
                "average_exec_per_sec:" => self.per_second = number,
                "peak_rss_mb:" => self.peak_mib = number,
                _ => {}
            }
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            // A slow input is written too, and is no fault.
            if !path.contains("slow-unit-") {
                self.reproducer = Some(path.trim().to_owned());
            }
        }
    }

    /// Reads `7  NEW  cov: 812 ft: 2304 corp: 201/12Kb lim: 64 exec/s: 1234 rss: 78Mb …`, without the sign in front.
    fn read_status(&mut self, line: &str) {
        let Some(executions) = number_at(line) else { return };
        let Some(coverage) = number_after(line, " cov: ") else { return };
        self.executions = executions;
        self.coverage = coverage;
        let fields = [
            (" ft: ", &mut self.features),
            (" corp: ", &mut self.corpus),
            (" exec/s: ", &mut self.per_second),
            (" rss: ", &mut self.peak_mib),
        ];
        for (name, field) in fields {
            *field = number_after(line, name).unwrap_or(*field);
        }
    }
}

fn number_after(line: &str, name: &str) -> Option<u64> {
    number_at(line.split_once(name)?.1)
}

/// The number that a text begins with.
fn number_at(text: &str) -> Option<u64> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_status_tells_how_far_it_is() {
        let mut progress = Progress::default();
        progress.read(
            "#4096\tNEW    cov: 812 ft: 2304 corp: 201/12Kb lim: 64 exec/s: 1234 rss: 78Mb L: 7/64 MS: 1 X-",
        );
        let expected = Progress {
            executions: 4096,
            per_second: 1234,
            coverage: 812,
            features: 2304,
            corpus: 201,
            peak_mib: 78,
            reproducer: None,
        };
        assert_eq!(progress, expected);
    }

    #[test]
    fn the_closing_statistics_count_more_than_the_last_status() {
        let mut progress = Progress { coverage: 812, ..Progress::default() };
        for line in [
            "stat::number_of_executed_units: 5000",
            "stat::average_exec_per_sec:     99",
            "stat::peak_rss_mb:   300",
        ] {
            progress.read(line);
        }
        assert_eq!((progress.executions, progress.per_second, progress.peak_mib), (5000, 99, 300));
        assert_eq!(progress.coverage, 812);
    }

    #[test]
    fn the_file_of_a_fault_is_told_and_that_of_a_slow_input_is_none() {
        let mut progress = Progress::default();
        progress.read("artifact_prefix='a/'; Test unit written to a/slow-unit-1");
        assert_eq!(progress.reproducer, None);
        progress.read("artifact_prefix='a/'; Test unit written to a/crash-2");
        assert_eq!(progress.reproducer.as_deref(), Some("a/crash-2"));
    }

    #[test]
    fn other_lines_change_nothing() {
        let mut progress = Progress::default();
        for line in [
            "",
            "#",
            "#x",
            "#0 READ units: 7",
            "#99999999999999999999\tNEW cov: 1",
            "stat::",
            "stat::peak_rss_mb: x",
            "INFO: seed",
            "    #7 0x55d in main",
        ] {
            progress.read(line);
            assert_eq!(progress, Progress::default(), "{line}");
        }
    }
}
