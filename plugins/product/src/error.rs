//! Errors of products, options and categories. The texts are the wire's.

use atoll_kernel::{
    Fault,
    data::RowError,
    limits::{
        CATEGORIES_MOVED_MAX, CATEGORY_DEPTH_MAX, OPTION_VALUES_MAX, PRODUCT_OPTIONS_MAX, VARIANTS_MAX,
    },
    store_errors,
};

/// Why a product was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The handle is not valid in a URL.
    #[error("Invalid product handle '{0}'. It must contain URL safe characters")]
    Handle(String),
    /// The product has no options, so it cannot have variants.
    #[error("Product options are not provided for: [{0}].")]
    NoOptions(String),
    /// A variant has values for more or fewer options than the product has.
    #[error("Product has {expected} but there were {got} provided option values for the variant: {title}.")]
    OptionCount {
        /// Number of options of the product.
        expected: usize,
        /// Number of options with a value.
        got: usize,
        /// The variant.
        title: String,
    },
    /// A variant has a value that the option does not offer.
    #[error("Option value {value} does not exist for option {option}")]
    OptionValue {
        /// The chosen value.
        value: String,
        /// The option.
        option: String,
    },
    /// Two variants have the same option values.
    #[error("Variant ({0}) with provided options already exists.")]
    SameOptions(String),
    /// The option is exclusive to another product.
    #[error("Product option {0} is exclusive to another product")]
    ExclusiveOption(String),
    /// An option that several products share cannot become exclusive.
    #[error("Product option {0} is shared by several products")]
    SharedOption(String),
    /// A product has the option.
    #[error("Product option {0} is in use by products and cannot be deleted")]
    OptionInUse(String),
    /// A variant has chosen the value.
    #[error("Product option value {0} is in use by variants and cannot be deleted")]
    ValueInUse(String),
    /// A variant of the product has chosen a value of the option.
    #[error("Cannot unassign product option {0} from product which has variants for that option")]
    OptionChosen(String),
    /// The option would have too many values.
    #[error("A product option has at most {OPTION_VALUES_MAX} values")]
    TooManyValues,
    /// The product would have too many options.
    #[error("A product has at most {PRODUCT_OPTIONS_MAX} options")]
    TooManyOptions,
    /// The product would have too many variants.
    #[error("A product has at most {VARIANTS_MAX} variants")]
    TooManyVariants,
    /// There is no such category.
    #[error("ProductCategory with id: {0} was not found")]
    NoCategory(String),
    /// The category has children.
    #[error("Deleting ProductCategory ({0}) with category children is not allowed")]
    HasChildren(String),
    /// The category would be its own ancestor.
    #[error("ProductCategory {0} cannot be below itself")]
    OwnParent(String),
    /// The category, or one below it, would be too deep.
    #[error("Product categories have at most {CATEGORY_DEPTH_MAX} levels")]
    TooDeep,
    /// Too many categories are below one that is moved.
    #[error("A category that is moved has at most {CATEGORIES_MOVED_MAX} categories below it")]
    TooManyBelow,
    /// A record that the product refers to does not exist.
    #[error("{label} with id: {id} does not exist")]
    NoReference {
        /// Name of the entity in the error text.
        label: &'static str,
        /// The unknown id.
        id: String,
    },
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Row(error) => error.into(),
            Error::NoCategory(_) => Fault::not_found(error.to_string()),
            Error::HasChildren(_) => Fault::not_allowed(error.to_string()),
            other => Fault::invalid(other.to_string()),
        }
    }
}
