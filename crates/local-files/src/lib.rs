//! The built-in file storage, `local`: files in the data folder, and the public route that serves them,
//! without scripts.

mod serve;
mod storage;
