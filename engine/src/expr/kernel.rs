//! Scalar functions of our own as values: a name, what type comes out, and a function over arrays.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// What type a kernel gives for these argument types; literal arguments are given with their values.
pub(super) type Returns = fn(&[DataType], &[Option<&ScalarValue>]) -> Result<DataType>;
/// The kernel: arrays of equal length in, one out, of the type that [`Returns`] said.
pub(super) type Run = fn(&[ArrayRef], &DataType) -> Result<ArrayRef>;

/// A pure scalar function; NULLs are its own affair.
pub(super) struct Kernel {
    name: &'static str,
    signature: Signature,
    returns: Returns,
    run: Run,
    /// Argument 0 is already what the function would give: the call can be left out.
    identity: fn(&DataType, &DataType) -> bool,
}

impl Kernel {
    /// A function of that name; the planner gives it any arguments as they are.
    pub(super) fn udf(name: &'static str, returns: Returns, run: Run) -> Arc<ScalarUDF> {
        Self::with_identity(name, returns, run, |_, _| false)
    }

    /// The same, left out where `identity(type of argument 0, result type)`.
    pub(super) fn with_identity(
        name: &'static str,
        returns: Returns,
        run: Run,
        identity: fn(&DataType, &DataType) -> bool,
    ) -> Arc<ScalarUDF> {
        let signature = Signature::variadic_any(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Self { name, signature, returns, run, identity }))
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("name", &self.name).finish_non_exhaustive()
    }
}

// The name decides: it is given once, in `functions.rs`.
impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Kernel {}

impl Hash for Kernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Kernel {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("return_field_from_args is used")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name, (self.returns)(&types, args.scalar_arguments)?, true)))
    }

    fn simplify(&self, mut args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some(first) = args.first() else { return Ok(ExprSimplifyResult::Original(args)) };
        let given = info.get_data_type(first)?;
        let literals: Vec<Option<&ScalarValue>> = args.iter().map(Expr::as_literal).collect();
        let types = args.iter().map(|arg| info.get_data_type(arg)).collect::<Result<Vec<_>>>()?;
        let wanted = (self.returns)(&types, &literals)?;
        if (self.identity)(&given, &wanted) {
            return Ok(ExprSimplifyResult::Simplified(args.swap_remove(0)));
        }
        Ok(ExprSimplifyResult::Original(args))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = !args.args.is_empty() && args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let result = (self.run)(&arrays, args.return_field.data_type())?;
        match constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)),
            false => Ok(ColumnarValue::Array(result)),
        }
    }
}

/// Bytes that one call over one batch may give: what a function that makes long texts is held to.
///
/// The memory pool does not see values while a function makes them.
pub(super) const MAX_CALL_BYTES: u64 = 64 << 20;

/// Refuses a call whose result may be larger than [`MAX_CALL_BYTES`].
pub(super) fn within_limit(name: &str, bytes: u64) -> Result<()> {
    if bytes > MAX_CALL_BYTES {
        return exec_err!("`{name}` would make more than {} MiB of text at once", MAX_CALL_BYTES >> 20);
    }
    Ok(())
}

/// A function that may give more bytes than it takes, held to [`MAX_CALL_BYTES`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Guarded {
    inner: Arc<ScalarUDF>,
    /// Bytes out for a byte in, at most.
    growth: u64,
}

impl Guarded {
    /// `inner`, of which is known that it gives at most `growth` bytes for each byte of its arguments.
    pub(super) fn udf(inner: Arc<ScalarUDF>, growth: u64) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::new_from_impl(Self { inner, growth }))
    }
}

impl ScalarUDFImpl for Guarded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows as u64;
        let bytes = args.args.iter().try_fold(0u64, |sum, arg| {
            Ok::<_, datafusion::error::DataFusionError>(
                sum + match arg {
                    ColumnarValue::Array(array) => text_bytes(array),
                    ColumnarValue::Scalar(scalar) => text_bytes(&scalar.to_array()?).saturating_mul(rows),
                },
            )
        })?;
        within_limit(self.inner.name(), bytes.saturating_mul(self.growth))?;
        self.inner.invoke_with_args(args)
    }
}

/// Bytes of the values of a text array; other arrays take a few bytes a value.
pub(super) fn text_bytes(array: &ArrayRef) -> u64 {
    match array.data_type() {
        DataType::Utf8 => {
            let offsets = array.as_string::<i32>().value_offsets();
            let span = offsets.last().zip(offsets.first()).map_or(0, |(last, first)| last - first);
            u64::try_from(span).unwrap_or(u64::MAX)
        }
        DataType::Null => 0,
        other if other.is_primitive() || *other == DataType::Boolean => array.len() as u64 * 32,
        _ => array.get_array_memory_size() as u64,
    }
}

/// The array as text, whichever kind of text it is.
pub(super) fn texts(array: &ArrayRef) -> Result<StringArray> {
    let cast = match array.data_type() {
        DataType::Utf8 => Arc::clone(array),
        _ => arrow::compute::cast(array, &DataType::Utf8)?,
    };
    match cast.as_string_opt::<i32>() {
        Some(texts) => Ok(texts.clone()),
        None => internal_err!("a text is expected"),
    }
}
