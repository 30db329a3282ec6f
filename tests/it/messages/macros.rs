//! Mistakes in the macros of the kernel, which the compiler is to explain. Compiled by `messages.rs`, and by
//! nothing else; the messages are in `macros.txt`.

#![allow(unused)]

use atoll_kernel::*;

mod route_without_auth {
    atoll_kernel::routes! {
        /// Lists them.
        Get "/admin/reviews" (LIST) => list;
    }
}

mod second_route_without_parentheses {
    atoll_kernel::routes! {
        /// Lists them.
        Get "/admin/reviews" (Admin, LIST) => list;
        /// Shows one.
        Get "/admin/reviews/:id" => show;
    }
}

mod route_with_a_closure {
    atoll_kernel::routes! {
        /// Lists them.
        Get "/admin/reviews" (Admin, LIST) => |call| list(call);
    }
}

mod route_without_a_semicolon {
    atoll_kernel::routes! {
        /// Lists them.
        Get "/admin/reviews" (Admin, LIST) => list
    }
}

mod route_without_a_path {
    atoll_kernel::routes! {
        of REVIEW;
        /// Lists them.
        Get (Admin, LIST) => list;
    }
}

mod routes_with_the_resource_before_the_flag {
    atoll_kernel::routes! {
        of REVIEW;
        with "reviews";
        /// Lists them.
        Get "/admin/reviews" (Admin, LIST) => list;
    }
}

mod entity_with_clauses_in_another_order {
    atoll_kernel::entity! {
        /// What a buyer says.
        pub struct Review = "review" / "reviews", "rev" {
            /// Who says it.
            pub author: String,
        }
        patch ReviewPatch
        search [author]
    }
}

mod entity_with_an_unknown_clause {
    atoll_kernel::entity! {
        /// What a buyer says.
        pub struct Review = "review" / "reviews", "rev" {
            /// Who says it.
            pub author: String,
        }
        serach [author]
    }
}

mod entity_with_a_private_field {
    atoll_kernel::entity! {
        /// What a buyer says.
        pub struct Review = "review" / "reviews", "rev" {
            /// Who says it.
            author: String,
        }
    }
}

mod entity_without_a_plural {
    atoll_kernel::entity! {
        /// What a buyer says.
        pub struct Review = "review", "rev" {
            /// Who says it.
            pub author: String,
        }
    }
}

mod words_without_values {
    atoll_kernel::words! { enum Colour { Red = "red" } }
}

mod link_with_a_missing_end {
    atoll_kernel::link! {
        /// A review is of a product.
        pub static REVIEW_PRODUCT: Link("review_product", "revprod") = { left: LEFT };
    }
}

mod flow_without_a_name {
    atoll_kernel::flow! {
        /// Awards points.
        pub static AWARD: Flow<String, u64> = (award);
    }
}

mod hook_with_options_in_another_order {
    atoll_kernel::hook! { "bank.pay" in "complete-cart.pay" => external pay, timeout: SOON, undo: void }
}

mod job_without_a_schedule {
    atoll_kernel::job! { "feed.refresh" => refresh }
}

mod subscriber_without_brackets {
    atoll_kernel::subscriber! { "mail.send" on "order.placed" => send }
}

mod module_without_its_type {
    atoll_kernel::module! { name: "review", summary: "What buyers say" }
}

mod check_without_a_rule {
    atoll_kernel::check! { "review.stars" => stars }
}

mod flag_without_a_default {
    atoll_kernel::feature_flag! {
        /// Reviews.
        pub static REVIEWS_FLAG = "reviews";
    }
}

mod computed_field_without_a_value {
    atoll_kernel::computed! { pub static STARS; }
}

mod projection_without_a_value {
    atoll_kernel::projection! { pub static STARS; }
}

mod provider_without_an_id {
    atoll_kernel::provider! { dyn PaymentProvider => Bank }
}

mod kind_of_provider_without_a_name {
    atoll_kernel::provider_kind! { dyn PaymentProvider }
}

mod resources_without_commas {
    atoll_kernel::resources! { REVIEW REVIEW_OF_STORE }
}

mod events_without_commas {
    atoll_kernel::events! { "review.created" "review.rejected" }
}
