//! Errors as text, with their causes.

use std::{error::Error, iter::successors};

/// An error with its causes, separated by `: `: for the log and for admins, not for clients.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let chain = successors(Some(error), |it| (*it).source()).map(ToString::to_string);
    chain.map(|it| it.trim_end_matches('.').to_owned()).collect::<Vec<_>>().join(": ")
}
