// A MANIFEST (RocksDB's list of files) whose last record a power cut left half written and half zeros.  RocksDB
// takes a record that ends early for the end, but not one that ends in zeros; so the zeros are cut off.
#pragma once

#include <string>

#include "common/status.h"

namespace rocksdb {
class Env;
}

namespace logvault::storage {

// Makes the folder `copy`, which shares the tables and logs of `dir` by hard links; its MANIFEST is cut before the
// zeros at its end.  kNotFound where it does not end in zeros,
// kAlreadyExists where `copy` is there.
Status CopyWithoutTornEnd(rocksdb::Env& env, const std::string& dir, const std::string& copy);
// Removes such a folder.
void RemoveCopy(rocksdb::Env& env, const std::string& copy);
// Cuts the MANIFEST of `dir` itself.
Status CutTornEnd(rocksdb::Env& env, const std::string& dir);

}  // namespace logvault::storage
