//! Admin routes of saga runs (workflow executions): list, start, finish steps, retry the compensation:
//! `/admin/workflows-executions`.

use std::sync::Arc;

use atoll_kernel::{
    Actor, Ctx, Fault, Moment,
    http::{
        Answer, Body, Call, Deleted, Param, ParamKind, Params, Part, Reply, Resource, Type, optional,
        required,
    },
    resources, routes,
    saga::{AnySaga, EXECUTIONS, ExecutionState, WorkflowExecution},
    serde_json::{Value, json},
};

use crate::{
    reply::{find, once, page},
    tables::{NOTHING, ONE, SUCCESS, any, date, list},
};

routes! {
    of EXECUTION;
    /// Lists the runs of workflows.
    Get "/admin/workflows-executions" (Admin, LIST) => index;
    /// Shows a run of a workflow, with its steps.
    Get "/admin/workflows-executions/:id" (Admin, ONE) => retrieve;
    /// Deletes a run that could not be compensated, after it was put right by hand.
    Delete "/admin/workflows-executions/:id" (Admin, ONE) => forget;
    /// Tries again to compensate a run that could not be compensated. It runs in the background.
    Post "/admin/workflows-executions/:id/undo" (Admin, ONE, NOTHING) => undo: SUCCESS;
    /// Runs a workflow again, with the input of a run that has ended: done, or undone.
    /// What it does it does once more, on behalf of who asks, unless the workflow itself refuses that. The
    /// new run has the same transaction id, so no two run at a time, and its record takes the place of the
    /// earlier one. A run that could not be undone is not repeated: undo it again, or forget it.
    Post "/admin/workflows-executions/:id/repeat" (Admin, ONE, NOTHING) => repeat: STARTED;
    /// Shows the run of a workflow with this transaction id. The first id is the name of the workflow.
    Get "/admin/workflows-executions/:id/:transaction_id" (Admin, ONE) => retrieve_by_transaction;
    /// Runs a workflow, by its name. One in a single transaction has ended with the answer; it leaves no
    /// execution. One whose input is more than data, such as the scope of a storefront, is refused.
    Post "/admin/workflows-executions/:id/run" (Admin, ONE, RUN) => run: STARTED;
    /// Finishes a step that waits for an answer from outside, with its result. The id is the name of the
    /// workflow.
    Post "/admin/workflows-executions/:id/steps/success" (Admin, ONE, FINISH) => succeed: SUCCESS;
    /// Fails a step that waits for an answer from outside: the run is compensated. The id is the name of the
    /// workflow.
    Post "/admin/workflows-executions/:id/steps/failure" (Admin, ONE, FINISH) => fail: SUCCESS;
}

resources! { LISTED }

static EXECUTION: Resource = Resource {
    entity: "workflow_execution",
    one: "workflow_execution",
    many: "workflow_executions",
    fields: &[
        "id", "workflow_id", "transaction_id", "run_id", "state", "execution", "context", "retention_time",
        "created_at", "updated_at", "deleted_at",
    ],
    store_fields: None,
    renamed: &[],
};

/// Runs in a list: without their steps.
static LISTED: Resource = Resource {
    fields: &[
        "id", "workflow_id", "transaction_id", "run_id", "state", "retention_time", "created_at",
        "updated_at",
    ],
    ..EXECUTION
};

const LIST: Params = list(
    &[
        any("id"),
        any("transaction_id"),
        any("workflow_id"),
        Param::new("state", ParamKind::Words(ExecutionState::WORDS)),
        date("created_at"),
        date("updated_at"),
    ],
    100,
);
const STARTED: Answer = Answer::Object(&[Part::value(
    "acknowledgement",
    Type::Object(&[
        required("transactionId", Type::Text)
            .about("The id of the transaction: that of the request, or a new one."),
        required("workflowId", Type::Text).about("The name of the workflow."),
        required("hasFinished", Type::Bool).about("Whether the run has ended already."),
        required("hasFailed", Type::Bool).about("Always false: a run that fails at once answers its error."),
    ]),
    "The run that was started.",
)]);
const RUN: Body = &[&[optional("input", Type::Any).about("The input of the workflow, as JSON."), optional("transaction_id", Type::Text).about("The id of the transaction: of several runs with one id only the first has an effect. A new one if it is absent.")]];
const FINISH: Body = &[&[
    required("transaction_id", Type::Text).about("The id of the transaction of the run."),
    required("step_id", Type::Text).about("The name of the step."),
    optional("response", Type::Any).about("The result of the step, as JSON; of a failure, its text."),
    optional("compensate_input", Type::Any).about("Accepted, and not used."),
    optional("action", Type::Words(&["invoke"])).about("What is finished: the step itself."),
]];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&LISTED, &call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&EXECUTION, &call, |id| format!("Workflow execution with id: {id} was not found"))
}

async fn retrieve_by_transaction(call: Call) -> Result<Reply, Fault> {
    let (workflow, transaction) = (call.path("id"), call.path("transaction_id"));
    let Some(execution) = WorkflowExecution::find(&call.view, workflow, transaction)? else {
        return Err(Fault::not_found(format!(
            "Workflow execution of {workflow} with transaction {transaction} was not found"
        )));
    };
    EXECUTION.plan(&call).show(&call.view, Arc::new(execution))
}

/// Retries the compensation of a run that could not be undone, in the background.
async fn undo(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    drop(call.view);
    call.app.undo_again(call.pass.actor, &id).await?;
    Ok(Reply::json(&json!({ "success": true })))
}

/// Starts a new run with the input of one that has ended.
async fn repeat(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let run = EXECUTIONS.get(&call.view, &id)?.unwrap_or_default();
    drop(call.view);
    let has_ended = call.app.repeat_run(call.pass.actor, &id).await?;
    Ok(started(&run.transaction_id, &run.workflow_id, has_ended))
}

/// Removes a run that could not be undone, after an operator has put things right by hand.
async fn forget(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    drop(call.view);
    call.app.forget_run(call.pass.actor, &id).await?;
    Deleted::new(id, "workflow_execution").reply()
}

async fn run(call: Call) -> Result<Reply, Fault> {
    let name = call.path("id").to_owned();
    let registry = call.app.registry();
    let flow = registry.flows.iter().find(|it| it.name() == name);
    let flow = flow.ok_or_else(|| Fault::not_found(format!("Workflow with id \"{name}\" not found.")))?;
    let saga: Option<&'static dyn AnySaga> = flow.as_saga();
    let text = call.body().get("transaction_id").and_then(Value::as_str);
    let transaction = text.map_or_else(|| auto_transaction(&call.app), str::to_owned);
    let input = call.body().get("input").cloned().unwrap_or_default();
    let has_ended = match saga {
        Some(saga) => {
            drop(call.view);
            saga.start(call.app, call.pass.actor, Some(transaction.clone()), input).await?
        }
        None => {
            let flow = name.clone();
            once(call, move |local| local.run_named(&flow, input).map(drop)).await?;
            true
        }
    };
    Ok(started(&transaction, &name, has_ended))
}

fn started(transaction: &str, workflow: &str, has_ended: bool) -> Reply {
    Reply::json(&json!({ "acknowledgement": {
        "transactionId": transaction, "workflowId": workflow, "hasFinished": has_ended, "hasFailed": false,
    } }))
}

/// A generated transaction id: the same one when the request is retried.
fn auto_transaction(ctx: &Ctx) -> String {
    let id = || Moment::new(ctx.now(), Actor::System).id::<WorkflowExecution>().to_string();
    format!("auto-{}", ctx.request_digest().unwrap_or_else(id))
}

async fn succeed(call: Call) -> Result<Reply, Fault> {
    let answer = call.body().get("response").cloned().unwrap_or_default();
    finish(call, Ok(answer)).await
}

async fn fail(call: Call) -> Result<Reply, Fault> {
    let why = match call.body().get("response") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "The step was failed from outside".to_owned(),
    };
    finish(call, Err(why)).await
}

async fn finish(call: Call, answer: Result<Value, String>) -> Result<Reply, Fault> {
    let text = |name: &str| call.body()[name].as_str().unwrap_or_default().to_owned();
    let (transaction, step, id) = (text("transaction_id"), text("step_id"), call.path("id").to_owned());
    drop(call.view);
    call.app.finish_step(&id, &transaction, &step, answer).await?;
    Ok(Reply::json(&json!({ "success": true })))
}
