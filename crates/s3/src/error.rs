//! Errors of the service, as those of a request: what a client may do about it, without the text of the
//! service, which is logged.

use std::error::Error as _;

use atoll_kernel::Fault;
use object_store::Error;

/// `Retry-After` where the service does not answer, in seconds.
const RETRY_S: u64 = 10;

/// The error of a request whose call to the service failed, after its retries.
pub(crate) fn refused(error: Error) -> Fault {
    match error {
        // The bucket is missing, or the keys are wrong: the operator has to do something.
        Error::NotFound { .. } | Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            Fault::unexpected(error)
        }
        error => {
            let causes: Vec<String> =
                std::iter::successors(error.source(), |it| (*it).source()).map(ToString::to_string).collect();
            tracing::error!(%error, causes = causes.join(": "), "the S3 service did not do what it was asked");
            Fault::busy("The file storage does not answer; try again soon", RETRY_S)
        }
    }
}
