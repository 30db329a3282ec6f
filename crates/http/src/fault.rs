//! Errors as the wire shows them: kinds, status codes, messages, `Retry-After`.

use std::{borrow::Cow, error::Error, fmt};

use atoll_query::QueryError;
use atoll_schema::Issues;
use atoll_storage::{Halt, RowError, StoreError, stored};
use atoll_values::with_causes;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `Retry-After` of requests that timed out in the read pool, in seconds.
const RETRY_AFTER_S: u64 = 5;

/// `Retry-After` while no host leads, in seconds: another one does after the lease, which takes seconds.
const LEADER_RETRY_S: u64 = 1;

stored! {
    /// The kind of an error: it determines the wire's `type` and the status code.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub enum FaultKind {
        /// 404: no such record or route.
        NotFound = "not_found",
        /// 400: the request is malformed or invalid.
        InvalidData = "invalid_data",
        /// 400: a valid request that the current state does not allow.
        NotAllowed = "not_allowed",
        /// 422: the payment provider refused the payment.
        PaymentRefused = "payment_authorization_error",
        /// 422: the payment needs an action of the buyer, such as 3-D Secure.
        PaymentRequiresMore = "payment_requires_more_error",
        /// 401: not authenticated.
        Unauthorized = "unauthorized",
        /// 422: the record exists, or the idempotency key was used for another request.
        Duplicate = "duplicate",
        /// 409: a concurrent request was faster.
        Conflict = "conflict",
        /// 400: the request exceeds a limit on keys, records or bytes.
        TooExpensive = "too_expensive",
        /// 409: the total differs from the one that the buyer was shown.
        PricesChanged = "prices_changed",
        /// 413: the body exceeds the limit of the route.
        TooLarge = "too_large",
        /// 429: rate limit exceeded.
        TooMany = "too_many",
        /// 503: overloaded; nothing was done.
        Busy = "busy",
        /// 503: nothing was done, because no host leads or is to be reached at the moment.
        NotWritten = "not_written",
        /// 503: it is not known whether it was done.
        OutcomeUnknown = "outcome_unknown",
        /// 500: a bug or a failure of the store. The message is logged, not shown.
        #[default]
        Unexpected = "unexpected",
    }
}

impl FaultKind {
    /// Is this a `type` of the wire, and not one of a module?
    pub fn is_wire_type(name: &str) -> bool {
        FaultKind::VARIANTS.iter().any(|it| it.wire().0 == name)
    }

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
            FaultKind::Busy | FaultKind::NotWritten | FaultKind::OutcomeUnknown => {
                ("unknown_error", StatusCode::SERVICE_UNAVAILABLE)
            }
            FaultKind::Unexpected => ("unknown_error", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// An error that is answered to a client: `{"type", "message", "code"?}`.
#[derive(Debug)]
pub struct Fault {
    kind: FaultKind,
    message: String,
    code: Option<Cow<'static, str>>,
    bare: Option<Box<Value>>,
    retry_after_s: Option<u64>,
    /// The name of the limit that the request has hit.
    limit: Option<&'static str>,
    /// Is another attempt in vain?
    is_for_good: bool,
    /// The status and the wire's `type`, where they are not those of the kind; boxed, because few have them.
    own: Option<Box<(StatusCode, Cow<'static, str>)>>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// An error of this kind. The text is that of the wire where it prescribes one.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Fault {
            kind,
            message,
            code: None,
            bare: None,
            retry_after_s: None,
            limit: None,
            is_for_good: false,
            own: None,
            source: None,
        }
    }

    /// An error with a status (400 to 599) and a `type` of its own: a module that refuses by a rule of its
    /// own answers 403 or 410. Another status is 500. The kind is the nearest one: it says whether a saga
    /// retries.
    pub fn of(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).ok();
        let status = status.filter(|it| it.is_client_error() || it.is_server_error());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let nearest = match status.as_u16() {
            401 => FaultKind::Unauthorized,
            404 | 410 => FaultKind::NotFound,
            409 => FaultKind::Conflict,
            413 => FaultKind::TooLarge,
            429 => FaultKind::TooMany,
            400..500 => FaultKind::NotAllowed,
            503 | 507 => FaultKind::Busy,
            _ => FaultKind::Unexpected,
        };
        Fault { own: Some(Box::new((status, Cow::Borrowed(kind)))), ..Fault::new(nearest, message) }
    }

    /// Adds `Retry-After`, in seconds.
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
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

    /// 429, with `Retry-After`.
    pub fn too_many(message: impl Into<String>, retry_after_s: u64) -> Self {
        Fault { retry_after_s: Some(retry_after_s), ..Fault::new(FaultKind::TooMany, message) }
    }

    /// 503, with `Retry-After`. Nothing was done.
    pub fn busy(message: impl Into<String>, retry_after_s: u64) -> Self {
        Fault { retry_after_s: Some(retry_after_s), ..Fault::new(FaultKind::Busy, message) }
    }

    /// 503, with `Retry-After`: nothing happened, because of the hosts of this shop.
    pub fn not_written(why: &str) -> Self {
        let text = format!("Nothing happened: {why}. Please try again.");
        let fault = Fault::new(FaultKind::NotWritten, text).with_code("nothing_happened");
        fault.with_retry_after(LEADER_RETRY_S)
    }

    /// 503, with `Retry-After`: whether anything happened is not known, because of the hosts of this shop.
    pub fn outcome_unknown(why: &str) -> Self {
        let text = format!(
            "It is not known whether this was done: {why}. With the same Idempotency-Key it is safe to try again."
        );
        let fault = Fault::new(FaultKind::OutcomeUnknown, text).with_code("outcome_unknown");
        fault.with_retry_after(LEADER_RETRY_S)
    }

    /// Is it about the log that the hosts of a shop share? The host that leads goes on with what was begun.
    pub fn is_of_log(&self) -> bool {
        matches!(self.kind, FaultKind::NotWritten | FaultKind::OutcomeUnknown)
    }

    /// The same after an earlier commit of the request: it cannot say that nothing happened.
    pub fn after_a_commit(self) -> Self {
        match self.kind {
            FaultKind::NotWritten => Fault::outcome_unknown("a part of it was, and no host leads any more"),
            _ => self,
        }
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
        let bare = Some(Box::new(json!({ "message": message })));
        Fault { bare, ..Fault::new(FaultKind::Unauthorized, message) }
    }

    /// 400 as some checks of the wire answer it: a list of errors, without a type.
    pub fn errors(errors: Vec<String>) -> Self {
        let message = "Provided request body contains errors. Please check the data and retry the request";
        let bare = Some(Box::new(json!({ "errors": errors, "message": message })));
        Fault { bare, ..Fault::new(FaultKind::InvalidData, errors.join("; ")) }
    }

    /// Adds the wire's `code`.
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(Cow::Borrowed(code));
        self
    }

    /// Names the limit that the request has hit, for metrics: the setting, or the constant in
    /// `values/limits.rs`, in lower case.
    pub fn at_limit(mut self, name: &'static str) -> Self {
        self.limit = Some(name);
        self
    }

    /// The limit that the request has hit.
    pub fn limit(&self) -> Option<&'static str> {
        self.limit
    }

    /// Says that another attempt is in vain: an event that a subscriber refuses so becomes a dead letter at
    /// once, and holds up no other event.
    pub fn for_good(mut self) -> Self {
        self.is_for_good = true;
        self
    }

    /// Is another attempt in vain?
    pub fn is_for_good(&self) -> bool {
        self.is_for_good
    }

    /// The value of `Retry-After` in seconds, if any.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_s
    }

    /// The kind of the error.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The chain of causes for the log, separated by `: `; empty if there is none. Not shown to clients.
    pub fn causes(&self) -> String {
        self.source().map(with_causes).unwrap_or_default()
    }

    /// Is the cause a stored record that does not decode, or whose checksum is wrong?
    pub fn is_damage(&self) -> bool {
        let mut cause = self.source();
        while let Some(error) = cause {
            if let Some(StoreError::Corrupt { .. }) = error.downcast_ref() {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.own.as_ref().map_or(self.kind.wire().1, |own| own.0)
    }

    /// The JSON body.
    pub fn body(&self) -> Value {
        if let Some(bare) = &self.bare {
            return (**bare).clone();
        }
        if let Some(own) = &self.own {
            let mut body = json!({ "type": own.1, "message": self.message });
            if let Some(code) = &self.code {
                body["code"] = json!(code);
            }
            return body;
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

stored! {
    /// An error as it is stored, in saga journals and for idempotent retries.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct FaultRecord {
        /// The kind of the error.
        pub kind: FaultKind,
        /// The message for clients.
        pub message: String,
        /// The wire's `code`.
        pub code: Option<String>,
        /// The whole body, where it is not the usual object.
        pub bare: Option<Value>,
        /// The chain of causes, for the log.
        pub cause: Option<String>,
        /// The status, where it is not that of the kind.
        pub status: Option<u16>,
        /// The wire's `type`, where it is not that of the kind.
        pub own_type: Option<String>,
        /// `Retry-After`, in seconds.
        pub retry_after_s: Option<u64>,
    }
}

impl From<&Fault> for FaultRecord {
    fn from(fault: &Fault) -> Self {
        FaultRecord {
            kind: fault.kind,
            message: fault.message.clone(),
            code: fault.code.as_deref().map(str::to_owned),
            bare: fault.bare.as_deref().cloned(),
            cause: Some(fault.causes()).filter(|it| !it.is_empty()),
            status: fault.own.as_ref().map(|own| own.0.as_u16()),
            own_type: fault.own.as_ref().map(|own| own.1.clone().into_owned()),
            retry_after_s: fault.retry_after_s,
        }
    }
}

impl From<&FaultRecord> for Fault {
    fn from(record: &FaultRecord) -> Self {
        Fault {
            retry_after_s: record.retry_after_s,
            code: record.code.clone().map(Cow::Owned),
            bare: record.bare.clone().map(Box::new),
            own: record
                .status
                .and_then(|it| StatusCode::from_u16(it).ok())
                .map(|it| Box::new((it, Cow::Owned(record.own_type.clone().unwrap_or_default())))),
            source: record.cause.clone().map(Into::into),
            ..Fault::new(record.kind, record.message.clone())
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
            StoreError::Refused(_) => {
                let source = Some(error.into());
                Fault { source, ..Fault::busy("The log of the hosts has refused this", RETRY_AFTER_S) }
            }
            StoreError::NotWritten(_) => Fault::not_written("this host does not lead the others any more"),
            StoreError::Unknown(_) => Fault::outcome_unknown("the log of the hosts has not answered"),
            error => Fault::unexpected(error),
        }
    }
}

impl From<Halt> for Fault {
    fn from(halt: Halt) -> Self {
        let too_expensive = |limit: &'static str, what: &str| {
            let text = format!("The request is too expensive: {halt}. {what}");
            Fault::new(FaultKind::TooExpensive, text).at_limit(limit)
        };
        let not_answered = || Fault::busy(format!("The request was not answered: {halt}"), RETRY_AFTER_S);
        match halt {
            Halt::Keys(_) => too_expensive(
                "request_keys_max",
                "Narrow it with a filter such as `id`, sort by the id, search without `q`, combine fewer conditions, or \
                 ask for fewer relations in `fields`",
            ),
            Halt::Records(_) => too_expensive(
                "records_at_once_max",
                "Ask for a smaller `limit`, or for fewer relations in `fields`",
            ),
            Halt::Bytes(_) => {
                too_expensive("answer_bytes_max", "Ask for a smaller `limit`, or for fewer `fields`")
            }
            Halt::Sorted(_) => {
                too_expensive("sorted_bytes_max", "Go on with a `cursor` instead of a large `offset`")
            }
            Halt::Written(_) => too_expensive(
                "transaction_bytes_max",
                "Do it in several requests, or an import without `atomic`",
            ),
            Halt::TimedOut => not_answered().at_limit("read_timeout"),
            Halt::Disconnected | Halt::Cancelled => not_answered(),
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
            QueryError::Refused(error) => error.downcast().map_or_else(Fault::unexpected, |it| *it),
            other => Fault::invalid(other.to_string()),
        }
    }
}

/// Computed fields may ask what answers with a fault.
impl From<Fault> for QueryError {
    fn from(fault: Fault) -> Self {
        QueryError::Refused(fault.into())
    }
}

impl From<Issues> for Fault {
    fn from(issues: Issues) -> Self {
        Fault::invalid(issues.to_string())
    }
}
