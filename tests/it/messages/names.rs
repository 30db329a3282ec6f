//! Names in the macros of the kernel that nothing has. Compiled by `messages.rs`, and by nothing else; the
//! messages are in `names.txt`.

#![allow(unused)]

use atoll_kernel::{
    Fault,
    http::{Call, Params, Reply},
};

async fn list(_: Call) -> Result<Reply, Fault> {
    Ok(Reply::html("."))
}

mod unknown_auth {
    use super::*;

    atoll_kernel::routes! {
        /// Lists them.
        Get "/admin/reviews" (Admn, Params::NONE) => list;
    }
}

mod unknown_method {
    use super::*;

    atoll_kernel::routes! {
        /// Lists them.
        Put "/admin/reviews" (Admin, Params::NONE) => list;
    }
}

mod clauses_with_unknown_fields {
    atoll_kernel::entity! {
        /// What a buyer says.
        pub struct Review = "review" / "reviews", "rev" {
            /// Who says it.
            pub author: String,
        }
        search [auhtor]
        hidden [authors]
    }
}

mod job_with_an_unknown_field {
    use atoll_kernel::{Ctx, Fault, jobs::Tick};

    async fn refresh(_: Ctx, _: Tick) -> Result<(), Fault> {
        Ok(())
    }

    atoll_kernel::job! { "feed.refresh" at "0 0 * * *", max_runs: Some(10) => refresh }
}
