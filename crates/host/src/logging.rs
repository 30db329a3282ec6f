//! The log: its filter and its form, as text or as JSON lines, on standard error; panics are lines of it.

use std::{io, panic, str::FromStr};

use tracing_subscriber::EnvFilter;

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line, for programs.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("it must be `text` or `json`".into()),
        }
    }
}

/// Starts the log of the process.
pub(crate) fn start_log(filter: &str, format: LogFormat) {
    let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).init(),
    }
    panic::set_hook(Box::new(|panic| {
        let (at, message) = (panic.location().map(ToString::to_string), panic.payload_as_str());
        tracing::error!(target: "atoll::panics", at, "panicked: {}", message.unwrap_or("no message"));
    }));
}
