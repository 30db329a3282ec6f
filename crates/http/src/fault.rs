//! Errors as the wire shows them.

use std::{borrow::Cow, error::Error, fmt};

use atoll_query::QueryError;
use atoll_schema::Issues;
use atoll_storage::{FieldValue, Halt, RowError, StoreError};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// When to ask again what could not be answered for want of time.
const RETRY_AFTER_S: u64 = 5;

/// What kind of error it is; the wire's `type`, and the status that goes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// There is no such thing: 404.
    NotFound,
    /// The input is wrong: 400.
    InvalidData,
    /// The input is right, and it is not allowed now: 400.
    NotAllowed,
    /// Somebody does not give the money: 422.
    #[serde(rename = "payment_authorization_error")]
    PaymentRefused,
    /// The buyer must do something before money is given: 422.
    #[serde(rename = "payment_requires_more_error")]
    PaymentRequiresMore,
    /// Who are you: 401.
    Unauthorized,
    /// It is there already, or was used for something else: 422.
    Duplicate,
    /// Somebody else was faster: 409.
    Conflict,
    /// To answer it takes more than one request may take: 400.
    TooExpensive,
    /// What is to be paid is not what was shown: 409.
    PricesChanged,
    /// The body is larger than the route takes: 413.
    TooLarge,
    /// It was tried too often: 429.
    TooMany,
    /// There is too much to do: 503.
    Busy,
    /// Our own mistake: 500. The message is logged, not shown.
    #[default]
    Unexpected,
}

impl FaultKind {
    fn wire(self) -> (&'static str, StatusCode) {
        match self {
            FaultKind::NotFound => ("not_found", StatusCode::NOT_FOUND),
            FaultKind::InvalidData => ("invalid_data", StatusCode::BAD_REQUEST),
            FaultKind::NotAllowed => ("not_allowed", StatusCode::BAD_REQUEST),
            FaultKind::PaymentRefused => ("payment_authorization_error", StatusCode::UNPROCESSABLE_ENTITY),
            FaultKind::PaymentRequiresMore => {
                ("payment_requires_more_error", StatusCode::UNPROCESSABLE_ENTITY)
            }
            FaultKind::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED),
            FaultKind::Duplicate => ("duplicate_error", StatusCode::UNPROCESSABLE_ENTITY),
            FaultKind::Conflict => ("conflict", StatusCode::CONFLICT),
            FaultKind::TooExpensive => ("too_expensive", StatusCode::BAD_REQUEST),
            FaultKind::PricesChanged => ("prices_changed", StatusCode::CONFLICT),
            FaultKind::TooLarge => ("unknown_error", StatusCode::PAYLOAD_TOO_LARGE),
            FaultKind::TooMany => ("not_allowed", StatusCode::TOO_MANY_REQUESTS),
            FaultKind::Busy => ("unknown_error", StatusCode::SERVICE_UNAVAILABLE),
            FaultKind::Unexpected => ("unknown_error", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// An error on its way to a client: `{"type", "message", "code"?}`.
#[derive(Debug)]
pub struct Fault {
    kind: FaultKind,
    message: String,
    code: Option<Cow<'static, str>>,
    bare: Option<Value>,
    retry_after_s: Option<u64>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// An error of this kind. The message is the wire's where the wire prescribes one.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Fault { kind, message: message.into(), code: None, bare: None, retry_after_s: None, source: None }
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::NotFound, message)
    }

    /// 400, of the type `invalid_data`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::InvalidData, message)
    }

    /// 400, of the type `not_allowed`.
    pub fn not_allowed(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::NotAllowed, message)
    }

    /// 429: it may be tried again in so many seconds.
    pub fn too_many(message: impl Into<String>, retry_after_s: u64) -> Self {
        Fault { retry_after_s: Some(retry_after_s), ..Fault::new(FaultKind::TooMany, message) }
    }

    /// 503: nothing was done, and it may be tried again in so many seconds.
    pub fn busy(message: impl Into<String>, retry_after_s: u64) -> Self {
        Fault { retry_after_s: Some(retry_after_s), ..Fault::new(FaultKind::Busy, message) }
    }

    /// 500. The cause is logged.
    pub fn unexpected(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source = Some(source.into());
        Fault { source, ..Fault::new(FaultKind::Unexpected, "An unknown error occurred.") }
    }

    /// 401 as the guards of the wire answer it: `{"message": "Unauthorized"}`, without a type.
    pub fn unauthorized() -> Self {
        Fault::unauthorized_because("Unauthorized")
    }

    /// 401 without a type, with this message.
    pub fn unauthorized_because(message: &str) -> Self {
        let bare = Some(json!({ "message": message }));
        Fault { bare, ..Fault::new(FaultKind::Unauthorized, message) }
    }

    /// 400 as some checks of the wire answer it: a list of errors, without a type.
    pub fn errors(errors: Vec<String>) -> Self {
        let message = "Provided request body contains errors. Please check the data and retry the request";
        let bare = Some(json!({ "errors": errors, "message": message }));
        Fault { bare, ..Fault::new(FaultKind::InvalidData, errors.join("; ")) }
    }

    /// Adds the wire's `code`.
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(Cow::Borrowed(code));
        self
    }

    /// In how many seconds it may be tried again, if that is known.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_s
    }

    /// Its kind.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// What caused it, one after the other; empty where nothing did. Clients are not told.
    pub fn causes(&self) -> String {
        let mut causes = Vec::new();
        let mut cause = self.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        causes.join(": ")
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.kind.wire().1
    }

    /// Its body.
    pub fn body(&self) -> Value {
        if let Some(bare) = &self.bare {
            return bare.clone();
        }
        let mut body = json!({ "type": self.kind.wire().0, "message": self.message });
        match (self.kind, self.code.as_deref()) {
            (FaultKind::Unexpected, _) => body["code"] = "unknown_error".into(),
            (FaultKind::Duplicate, _) => body["code"] = "invalid_request_error".into(),
            (FaultKind::Conflict, _) => body["code"] = "invalid_state_error".into(),
            (FaultKind::PricesChanged, _) => body["code"] = "prices_changed".into(),
            (FaultKind::TooExpensive, _) => body["code"] = "too_expensive".into(),
            (_, Some(code)) => body["code"] = code.into(),
            _ => {}
        }
        body
    }
}

/// An error as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FaultRecord {
    /// Its kind.
    pub kind: FaultKind,
    /// What clients are told.
    pub message: String,
    /// The wire's code.
    pub code: Option<String>,
    /// The whole body, where it is not the usual one.
    pub bare: Option<Value>,
    /// What caused it, which clients are not told.
    pub cause: Option<String>,
}

impl FieldValue for FaultRecord {}

impl From<&Fault> for FaultRecord {
    fn from(fault: &Fault) -> Self {
        FaultRecord {
            kind: fault.kind,
            message: fault.message.clone(),
            code: fault.code.as_deref().map(str::to_owned),
            bare: fault.bare.clone(),
            cause: Some(fault.causes()).filter(|it| !it.is_empty()),
        }
    }
}

impl From<&FaultRecord> for Fault {
    fn from(record: &FaultRecord) -> Self {
        Fault {
            retry_after_s: None,
            kind: record.kind,
            message: record.message.clone(),
            code: record.code.clone().map(Cow::Owned),
            bare: record.bare.clone(),
            source: record.cause.clone().map(Into::into),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|it| &**it as &dyn Error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Halted(halt) => halt.into(),
            error => Fault::unexpected(error),
        }
    }
}

impl From<Halt> for Fault {
    fn from(halt: Halt) -> Self {
        let too_expensive = |what: &str| {
            Fault::new(FaultKind::TooExpensive, format!("The request is too expensive: {halt}. {what}"))
        };
        match halt {
            Halt::Keys(_) => too_expensive(
                "Narrow it with a filter such as `id`, sort by the id, search without `q`, combine fewer conditions, or \
                 ask for fewer relations in `fields`",
            ),
            Halt::Records(_) => {
                too_expensive("Ask for a smaller `limit`, or for fewer relations in `fields`")
            }
            Halt::Bytes(_) => too_expensive("Ask for a smaller `limit`, or for fewer `fields`"),
            Halt::Gone | Halt::Late => {
                Fault::busy(format!("The request was not answered: {halt}"), RETRY_AFTER_S)
            }
        }
    }
}

impl From<RowError> for Fault {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Exists { .. } | RowError::Duplicate { .. } | RowError::TooLarge { .. } => {
                Fault::invalid(error.to_string())
            }
            RowError::NotFound { .. } => Fault::not_found(error.to_string()),
            RowError::Store(error) => error.into(),
        }
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Store(error) => error.into(),
            other => Fault::invalid(other.to_string()),
        }
    }
}

impl From<Issues> for Fault {
    fn from(issues: Issues) -> Self {
        Fault::invalid(issues.to_string())
    }
}
