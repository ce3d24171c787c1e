//! From the driver's errors to ours.

use larder_core::{Error, ErrorKind};
use object_store::Error as DriverError;

/// Returns the error of a call on an object.
pub(crate) fn failed(error: DriverError) -> Error {
    let (kind, message) = match &error {
        DriverError::NotImplemented { .. } | DriverError::NotSupported { .. } => {
            (ErrorKind::Unsupported, "the driver cannot do this")
        }
        DriverError::NotFound { .. } => (ErrorKind::Store, "there is no such place; `check` tells more"),
        DriverError::PermissionDenied { .. } | DriverError::Unauthenticated { .. } => {
            (ErrorKind::Store, "access is refused; `check` tells more")
        }
        _ => (ErrorKind::Store, ""),
    };
    Error::new(kind, message).caused_by(error)
}
