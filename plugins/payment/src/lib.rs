//! Payment: who takes the money. So far it knows the providers, and not yet what they take.

use atoll_kernel::{Module, Moment, RowError, Service, Write, entity, module};

entity! {
    /// Somebody who takes money.
    pub struct PaymentProvider = "payment_provider" / "payment_providers", "pp" {
        /// May it be used?
        pub is_enabled: bool = true,
    }
}

/// The name of the entity in links.
pub const PAYMENT_PROVIDER: &str = "payment_provider";

/// The provider that is always there: what it takes is handed over by hand.
pub const SYSTEM_DEFAULT: &str = "pp_system_default";

/// The service of payment providers.
pub static PAYMENT_PROVIDERS: Service<PaymentProvider> = Service::new(&[]);

module! { Module {
    name: "payment",
    summary: "Who takes the money",
    services: &[&PAYMENT_PROVIDERS],
    seed: Some(seed),
    ..Module::EMPTY
} }

fn seed(tx: &mut dyn Write, at: &Moment) -> Result<(), RowError> {
    if !PAYMENT_PROVIDERS.table.exists(tx, SYSTEM_DEFAULT)? {
        let provider = PaymentProvider { id: SYSTEM_DEFAULT.into(), ..PaymentProvider::default() };
        PAYMENT_PROVIDERS.create(tx, at, provider)?;
    }
    Ok(())
}
