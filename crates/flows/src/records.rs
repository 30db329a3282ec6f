//! `record_flows!`: the flows that create, update and delete the records of an entity, where nothing else is
//! changed with them.

use atoll_kernel::{
    Fault, Moment, Registry, Write,
    data::{Entity, FieldValue},
    flow::{HookPoint, Local},
    serde::Serialize,
    serde_json::json,
};

use crate::points::{Ids, OfId, Records, VALIDATE_ID, VALIDATE_IDS};

/// Defines the create, update and delete flows of an entity. Events: `….created`, `….updated`, `….deleted`,
/// for each record.
macro_rules! record_flows {
    (
        $module:ident: $Record:ty, from $New:ty, $Patch:ty, event $event:literal;
        $CREATE:ident = $create_name:literal ($VALIDATE:ident, $CREATED:ident) by $create:expr;
        $UPDATE:ident = $update_name:literal ($UPDATED:ident) by $update:expr;
        $DELETE:ident = $delete_name:literal ($DELETED:ident) by $delete:expr;
    ) => {
        mod $module {
            use atoll_kernel::{Fault, flow::Local};
            use $crate::records::{create_all, delete_all, update_one};

            use super::*;

            fn create(flow: &mut Local<'_>, records: Vec<$New>) -> Result<Vec<$Record>, Fault> {
                create_all(
                    flow,
                    records,
                    $create_name,
                    concat!($event, ".created"),
                    (&$VALIDATE, &$CREATED),
                    $create,
                )
            }

            atoll_kernel::flow! {
                #[doc = concat!("Makes records. Event: `", $event, ".created`, for each.")]
                pub static $CREATE: Flow<Vec<$New>, Vec<$Record>> =
                    $create_name (create), hooks: &[&$VALIDATE, &$CREATED];
            }

            fn update(flow: &mut Local<'_>, (id, patch): (String, $Patch)) -> Result<$Record, Fault> {
                update_one(flow, &id, $update_name, concat!($event, ".updated"), &$UPDATED, |tx, at, id| {
                    $update(tx, at, id, patch)
                })
            }

            atoll_kernel::flow! {
                #[doc = concat!("Changes the record with this id. Event: `", $event, ".updated`.")]
                pub static $UPDATE: Flow<(String, $Patch), $Record> =
                    $update_name (update), hooks: &[&$crate::points::VALIDATE_ID, &$UPDATED];
            }

            fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
                delete_all(flow, &ids, $delete_name, concat!($event, ".deleted"), &$DELETED, $delete)
            }

            atoll_kernel::flow! {
                #[doc = concat!("Soft-deletes records. Event: `", $event, ".deleted`, for each.")]
                pub static $DELETE: Flow<Vec<String>, ()> =
                    $delete_name (delete), hooks: &[&$crate::points::VALIDATE_IDS, &$DELETED];
            }
        }

        pub use $module::{$CREATE, $DELETE, $UPDATE};
    };
}

pub(crate) use record_flows;

pub(crate) fn create_all<N: FieldValue + Serialize + Clone + Send, T: Entity + FieldValue, E: Into<Fault>>(
    flow: &mut Local<'_>,
    records: Vec<N>,
    step: &'static str,
    event: &str,
    (validate, created_point): (&'static HookPoint<Records<T, N>>, &'static HookPoint<Records<T>>),
    create: impl Fn(&mut dyn Write, &Moment, N) -> Result<T, E>,
) -> Result<Vec<T>, Fault> {
    flow.hook(validate, || Records::of(&records))?;
    let created: Vec<T> = flow.step(step, |tx, at| {
        records.into_iter().map(|it| create(tx, at, it).map_err(Into::into)).collect()
    })?;
    for record in &created {
        flow.emit(event, json!({ "id": record.id() }))?;
    }
    flow.hook(created_point, || Records::of(&created))?;
    Ok(created)
}

pub(crate) fn update_one<T: Entity + FieldValue, E: Into<Fault>>(
    flow: &mut Local<'_>,
    id: &str,
    step: &'static str,
    event: &str,
    hook: &'static HookPoint<Records<T>>,
    update: impl FnOnce(&mut dyn Write, &Moment, &str) -> Result<T, E>,
) -> Result<T, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(id))?;
    let record = flow.step(step, |tx, at| {
        if Registry::graph().table(T::DEF.name).has(tx, id)? {
            return update(tx, at, id).map_err(Into::into);
        }
        Err(Fault::not_found(format!("{} with id \"{id}\" not found", T::DEF.words())))
    })?;
    flow.emit(event, json!({ "id": id }))?;
    flow.hook(hook, || Records::one(&record))?;
    Ok(record)
}

pub(crate) fn delete_all<T: Entity, E: Into<Fault>>(
    flow: &mut Local<'_>,
    ids: &[String],
    step: &'static str,
    event: &str,
    hook: &'static HookPoint<Ids>,
    delete: impl Fn(&mut dyn Write, &Moment, &str) -> Result<Option<T>, E>,
) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(ids))?;
    let mut deleted = Vec::new();
    flow.step(step, |tx, at| {
        for id in ids {
            deleted.extend(delete(tx, at, id).map_err(Into::into)?.map(|it| it.id().to_string()));
        }
        Ok(())
    })?;
    for id in &deleted {
        flow.emit(event, json!({ "id": id }))?;
    }
    flow.hook(hook, || Ids::of(&deleted))?;
    Ok(())
}
