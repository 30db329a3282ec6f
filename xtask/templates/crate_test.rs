//! Tests of __titles__.

mod routes;
