//! Who is told when a file is bad or could not be judged.
//!
//! A message says which file, why, how many rows, and where the report is. It holds no cell value: it may go by e-mail.

use async_trait::async_trait;
use serde::Serialize;

use crate::audit::{Event, State};
use crate::error::Result;

/// The longest subject that SNS takes; in characters, ASCII only.
const MAX_SUBJECT: usize = 100;
/// Reasons that are written out.
const MAX_REASONS: usize = 10;
/// The longest reason; in characters.
const MAX_REASON: usize = 300;

/// A message to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// One line of ASCII, at most 100 characters.
    pub subject: String,
    /// The text, a few short lines.
    pub text: String,
    /// `INVALID`, `ERROR` or `FAILURE`.
    pub kind: String,
    /// The data set.
    pub dataset: Option<String>,
    /// The file.
    pub uri: Option<String>,
    /// Where the report is.
    pub report: Option<String>,
}

/// Sends messages.
#[async_trait]
pub trait Notifier: std::fmt::Debug + Send + Sync {
    /// Sends a message; gives what the service calls it.
    async fn send(&self, message: &Message) -> Result<String>;
}

impl Message {
    /// What is said of a file after its last event.
    pub fn of_file(event: &Event) -> Self {
        let dataset = event.dataset.as_deref().unwrap_or("-");
        let (kind, what) = match event.state {
            State::Invalid => ("INVALID", "was judged and is not as its job demands"),
            State::Error => ("ERROR", "could not be judged; nothing was published and it was not moved"),
            _ => ("FAILURE", "is on its way, and its workflow failed"),
        };
        let name = event.uri.rsplit('/').next().unwrap_or(&event.uri);
        let mut text = format!("{} {what}.\n\ndata set: {dataset}\nstate:    {}\n", event.uri, event.state);
        if let Some(rows) = event.rows {
            text.push_str(&format!(
                "rows:     {} read, {} accepted, {} rejected\n",
                rows.read, rows.accepted, rows.rejected
            ));
        }
        let lines = [("moved to: ", &event.moved_to), ("report:   ", &event.report), ("version:  ", &event.version)];
        for (label, value) in lines {
            if let Some(value) = value {
                text.push_str(&format!("{label}{value}\n"));
            }
        }
        text.push_str(&format!("file id:  {}\nrun:      {}\n\nreasons:\n", event.file_id, event.run_id));
        for reason in event.reasons.iter().take(MAX_REASONS) {
            text.push_str(&format!("- {}\n", cut(reason, MAX_REASON)));
        }
        if event.reasons.len() > MAX_REASONS {
            text.push_str(&format!("- and {} more, see the report\n", event.reasons.len() - MAX_REASONS));
        }
        if kind == "ERROR" {
            text.push_str(&format!(
                "\n{} tries so far; while tries are left it is tried again on the next schedule.\n",
                event.tries
            ));
        }
        Self {
            subject: subject(&format!("{kind}: {dataset}/{name}")),
            text,
            kind: kind.to_owned(),
            dataset: event.dataset.clone(),
            uri: Some(event.uri.clone()),
            report: event.report.clone(),
        }
    }

    /// What is said when a workflow failed as a whole.
    pub fn of_failure(execution: &str, error: &str, cause: &str) -> Self {
        let text = format!(
            "The workflow {execution} failed.\n\nerror: {error}\ncause: {}\n\nFiles that it had not finished stay as they are \
             and are taken up by the next run.\n",
            cut(cause, MAX_REASON)
        );
        Self {
            subject: subject(&format!("FAILURE: {execution}")),
            text,
            kind: "FAILURE".to_owned(),
            dataset: None,
            uri: None,
            report: None,
        }
    }
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// SNS takes ASCII without control characters, beginning with a letter, digit or punctuation.
fn subject(text: &str) -> String {
    let ascii = text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' });
    ascii.take(MAX_SUBJECT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::RowCounts;

    #[test]
    fn a_message_says_which_file_why_and_how_many() {
        let event = Event {
            state: State::Invalid,
            uri: "s3://landing/orders/größe\n.csv".into(),
            dataset: Some("orders".into()),
            rows: Some(RowCounts { read: 10, accepted: 8, rejected: 2, filtered: 0 }),
            reasons: (0..12).map(|number| format!("reason {number} {}", "x".repeat(400))).collect(),
            report: Some("s3://lake/orders/reports/r.json".into()),
            ..Event::default()
        };
        let message = Message::of_file(&event);
        assert_eq!(message.subject, "INVALID: orders/gr??e?.csv");
        for part in ["10 read, 8 accepted, 2 rejected", "reports/r.json", "reason 9 ", "and 2 more"] {
            assert!(message.text.contains(part), "{part} is missing in:\n{}", message.text);
        }
        assert!(!message.text.contains("reason 10"));
        assert!(Message::of_failure(&"e".repeat(200), "E", "c").subject.len() <= MAX_SUBJECT);
    }
}
