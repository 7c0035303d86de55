//! What ends a command before its time: shown to people by miette, to programs as a document.

use std::fmt;
use std::io;

use etl_engine::job::{Faulty, OpenError};
use etl_engine::report::failure::{error_document, faulty_document, open_document, with_causes};
use etl_engine::{Error, ErrorKind};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde_json::Value;

use crate::terminal::Look;

/// Why a command could not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine says so.
    Engine(Box<Error>),
    /// A job, a schema or a ruleset is wrong.
    Faulty(Box<Faulty>),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Engine(error) => Self::Engine(Box::new(error)),
            OpenError::Faulty(faulty) => Self::Faulty(faulty),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    /// The exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Engine(error) => error.exit_code(),
            Self::Faulty(_) => 2,
            Self::Output(_) => 3,
        }
    }

    /// The document of a run that ended so.
    pub(crate) fn document(&self) -> Value {
        match self {
            Self::Engine(error) => error_document(error),
            Self::Faulty(faulty) => faulty_document(faulty),
            Self::Output(error) => {
                error_document(&Error::storage("standard output cannot be written", error.to_string()))
            }
        }
    }

    /// For people: what, where, what to do.
    pub(crate) fn render(&self, look: Look) -> String {
        match self {
            Self::Engine(error) if error.kind() == ErrorKind::Cancelled => {
                let help = error.help().unwrap_or("run it again: it starts afresh");
                show(&Shown::new("stopped; nothing was published", Some(help)), look)
            }
            Self::Engine(error) => show(&Shown::new(&look.clean(&with_causes(error)), error.help()), look),
            Self::Faulty(faulty) => render_faulty(faulty, look),
            Self::Output(error) => {
                show(&Shown::new(&format!("standard output cannot be written: {error}"), None), look)
            }
        }
    }
}

/// Every problem of a text, underlined in it.
pub(crate) fn render_faulty(faulty: &Faulty, look: Look) -> String {
    let name = if faulty.name.is_empty() { faulty.what } else { faulty.name.as_str() };
    let shown = faulty.problems.iter().map(|problem| {
        let mut shown = Shown::new(&look.clean(&problem.message), problem.help.as_deref());
        if let Some(span) = &problem.span {
            // A place at the end of the text is shown on its last character.
            let start = span.start.min(faulty.text.len());
            let length = span.end.clamp(start, faulty.text.len()) - start;
            shown.source = Some(NamedSource::new(name, faulty.text.clone()));
            shown.label = Some(LabeledSpan::underline(start..start + length));
        } else if !faulty.name.is_empty() {
            shown.message = format!("{}: {}", look.clean(name), shown.message);
        }
        show(&shown, look)
    });
    shown.collect()
}

/// What miette shows.
#[derive(Debug)]
struct Shown {
    message: String,
    help: Option<String>,
    source: Option<NamedSource<String>>,
    label: Option<LabeledSpan>,
}

impl Shown {
    fn new(message: &str, help: Option<&str>) -> Self {
        Self { message: message.to_owned(), help: help.map(str::to_owned), source: None, label: None }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.label.clone().map(|label| Box::new(std::iter::once(label)) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}

fn show(shown: &Shown, look: Look) -> String {
    let theme = match (look.unicode, look.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .without_syntax_highlighting()
        .with_width(look.width.map_or(1000, usize::from))
        .with_context_lines(1);
    let mut text = String::new();
    match handler.render_report(&mut text, shown) {
        Ok(()) => text,
        Err(_) => format!("{shown}\n"),
    }
}

/// The document of a failure that clap found.
pub(crate) fn usage_document(message: &str) -> Value {
    // The usage below it goes to standard error.
    let message = message.split("\n\n").next().unwrap_or(message).trim_start_matches("error: ");
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    open_document(&OpenError::Engine(Error::configuration(message).with_help("see --help")))
}
