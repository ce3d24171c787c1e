//! As much of XML as this API has.

use std::fmt::Write;
use std::time::SystemTime;

/// An answer that is being written.
#[derive(Debug)]
pub(super) struct Answer {
    text: String,
    name: &'static str,
}

impl Answer {
    pub(super) fn new(name: &'static str) -> Self {
        Answer { text: format!("<?xml version='1.0' encoding='UTF-8'?><{name}>"), name }
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        let _ = write!(self.text, "<{name}>{}</{name}>", escape(text));
    }

    pub(super) fn nested(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let _ = write!(self.text, "<{name}>");
        write(self);
        let _ = write!(self.text, "</{name}>");
    }

    pub(super) fn end(self) -> String {
        format!("{}</{}>", self.text, self.name)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The parts that the body of a completion names, each with its number and its `ETag`.
pub(super) fn parts(body: &str) -> Option<Vec<(u32, String)>> {
    let parts = body.split("<Part>").skip(1).map(|part| {
        let number = element(part, "PartNumber")?.trim().parse().ok()?;
        Some((number, element(part, "ETag")?.replace("&quot;", "\"")))
    });
    parts.collect()
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// A time as lists show it: `2026-01-02T03:04:05Z`.
pub(super) fn date(time: SystemTime) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    // `Fri, 02 Jan 2026 03:04:05 GMT`, where each word has its place.
    let date = httpdate::fmt_http_date(time);
    let month = MONTHS.find(&date[8..11]).unwrap_or_default() / 3 + 1;
    format!("{}-{month:02}-{}T{}Z", &date[12..16], &date[5..7], &date[17..25])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_date_is_the_one_of_the_time() {
        assert_eq!(date(UNIX_EPOCH + Duration::from_secs(1_767_323_045)), "2026-01-02T03:04:05Z");
        assert_eq!(date(UNIX_EPOCH + Duration::from_secs(1_798_761_599)), "2026-12-31T23:59:59Z");
    }

    #[test]
    fn parts_are_found_however_their_tags_are_quoted() {
        let body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>\
                    <Part><ETag>&quot;b&quot;</ETag><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>";
        assert_eq!(parts(body), Some(vec![(1, "\"a\"".into()), (2, "\"b\"".into())]));
        assert_eq!(parts("<Part><PartNumber>one</PartNumber></Part>"), None);
    }

    #[test]
    fn text_cannot_be_taken_for_tags() {
        let mut answer = Answer::new("A");
        answer.text("B", "<&>\"");
        assert!(answer.end().ends_with("<A><B>&lt;&amp;&gt;&quot;</B></A>"));
    }
}
