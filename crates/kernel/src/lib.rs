//! The API for plugins: what a module, an entity, a link, a route and a projection are, and the registry of
//! everything that is linked into the program.
//!
//! A plugin names this crate and no other of Atoll's.

// The macros below name this crate by its name, here too.
extern crate self as atoll_kernel;

mod change_event;
mod clock;
mod ctx;
mod describe;
mod entity;
mod flag;
mod flow;
mod job;
mod jwt;
mod link;
mod mailed;
mod migration;
mod module;
mod once;
mod payment;
mod projection;
mod read_plan;
mod reading;
mod reference;
mod registry;
mod resource;
mod saga;
mod schedule;
mod service;
mod subscriber;
mod token;
mod verify;
mod workflow;

pub use atoll_http::{
    Answer, App, Auth, Bytes, Disconnect, Envelope, Fault, FaultKind, FaultRecord, Head, HeaderMap,
    HeaderName, HeaderValue, IdempotentRequest, Info, IpNet, Method, OriginList, Origins, Proxies, Reply,
    StatusCode, cookie, header, header_names, openapi, qs, router,
};
pub use atoll_query::{
    AnswerLimits, Compute, Computed, Context, Env, FieldList, Graph, Ids, ListQuery, Nothing, Offer, Page,
    QueryError, Relation, Resolve, ResolveWith, Selection, SortBy, Targets, Union, Wall, WhenGone, Where,
    check_selection, list, write_node, write_nodes,
};
pub use atoll_schema::{
    Body, Field, Filters, Issues, ListParams, Param, ParamKind, Params, Type, check, optional, required,
};
pub use atoll_storage::{
    Direction, EVENTS, Embed, Engine, Entity, EntityDef, Event, FieldKind, FieldValue, Halt, History, Index,
    IndexDef, JsonObject, KeyBuf, Keys, Meter, Node, OUTBOX, Read, Record, RowError, SEQUENCES, Scalar, Scan,
    Slots, Space, SpaceDef, Span, Step, Store, StoreError, Table, TableSource, View, Visit, Write,
    add_to_group, counters_of, emit, engines, events_after, group_count, json_value, key_text, last_number,
    next_number, present, remove_event, split_part, stored,
};
pub use atoll_values::{
    Actor, Comparison, Condition, Decimal, Fields, Filter, Id, Kind, LINE_TOTALS, Metadata, Moment, TOTALS,
    Timestamp, Totals, flattened, joined, limits, part_of_total,
};
pub use clock::{Clock, ManualClock};
pub use ctx::{Call, Config, Ctx, Gate, Login, Parts, Pass, Route};
pub use flag::{FeatureFlag, FlagEntry, Flags};
pub use flow::{ExternalHook, Flow, Hook, HookEntry, HookRun, Local, Point, Probe, StepCall, When};
pub use job::{Job, JobEntry, JobHandler, Tick};
pub use link::{Column, End, FieldLink, Link, LinkError, LinkRow, OtherEnd};
pub use mailed::{UNSIGNED_TOKEN, Unsigned};
pub use migration::{FORMAT, Fingerprint, Format, MigrationError, PartKind, Plan as MigrationPlan, migrate};
pub use module::{Module, Seed};
pub use once::{KeyedRequest, ONCE, ONCE_BY_AGE, ONCE_BY_CLIENT, ONCE_BYTES, ONCE_SPACES, verify_answers};
pub use payment::{Paying, PaymentAction, PaymentProvider, PaymentProviderEntry, PaymentRequest};
pub use projection::{Change, Projection};
pub use read_plan::{Deleted, ReadPlan};
pub use reading::ReadLimits;
pub use reference::CLEARED_REFERENCES;
pub use registry::{Problem, Registry, RouteEntry};
pub use resource::{Resource, ResourceEntry};
pub use saga::{
    AnySaga, EXECUTIONS, ExecutionState, External, Known, Outcome, Run, Saga, SagaFn, Starting, StepAnswer,
    StepEntry, StepKind, StepState, WorkflowExecution, verify_journals,
};
pub use schedule::{Plan, Schedule};
pub use service::{AnyService, Patch, Service, of};
pub use subscriber::{Handler, Subscriber, SubscriberEntry};
pub use token::{digest, random_token};
pub use verify::{Check, Finding, Findings, Report, Verify, readable};
pub use workflow::{AnyFlow, FlowEntry};

/// For tests, and the kernel: what a module stores is a record, the row of a link, or in [`Slots`].
#[doc(hidden)]
pub use atoll_storage::{decode, encode, field_name};

#[doc(hidden)]
pub use {
    change_event::Followed, entity::CREATED_AT_TEXT, entity::DELETED_AT_TEXT, entity::UPDATED_AT_TEXT,
    inventory, link::FIELD_LINKS, link::LINKS, linkme, module::MODULES, projection::PROJECTIONS,
    registry::COMPUTED, serde, serde_json, verify::CHECKS,
};
