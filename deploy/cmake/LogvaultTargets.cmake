# The three kinds of target logvault has: a layer's library, a program, a test.

set(LOGVAULT_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-qual -Wundef -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  list(APPEND LOGVAULT_WARNINGS -Wthread-safety)
endif()

add_library(logvault_options INTERFACE)
target_compile_options(logvault_options INTERFACE ${LOGVAULT_WARNINGS} -fno-omit-frame-pointer)
target_include_directories(logvault_options INTERFACE ${CMAKE_SOURCE_DIR})
target_link_libraries(logvault_options INTERFACE Threads::Threads)
target_link_options(logvault_options INTERFACE -fuse-ld=lld)
if(LOGVAULT_SANITIZE)
  target_compile_options(logvault_options INTERFACE -fsanitize=${LOGVAULT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(logvault_options INTERFACE -fsanitize=${LOGVAULT_SANITIZE})
endif()
if(LOGVAULT_FUZZ)
  # Coverage of our libraries too, or the fuzzers would see only themselves.
  target_compile_options(logvault_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(logvault_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(LOGVAULT_CRASH_POINTS)
  target_compile_definitions(logvault_options INTERFACE LOGVAULT_CRASH_POINTS=1)
endif()

# `layers` is every library and program, without tests; `fuzzers` is every fuzzer; `tests_core` and `tests_threads` are the
# tests of those labels.
add_custom_target(layers)
add_custom_target(fuzzers)
add_custom_target(tests_core)
add_custom_target(tests_threads)

# What a sanitizer must know of libraries that are not ours; each line of those files has its reason.
set(suppressions ${CMAKE_SOURCE_DIR}/tests/suppressions)
set(LOGVAULT_TEST_ENVIRONMENT
  "ASAN_OPTIONS=detect_stack_use_after_return=1"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "LSAN_OPTIONS=suppressions=${suppressions}/lsan.txt:print_suppressions=0"
  "TSAN_OPTIONS=suppressions=${suppressions}/tsan.txt:ignore_noninstrumented_modules=1:second_deadlock_stack=1")

# logvault_library(evidence SOURCES a.cc b.cc DEPS logvault_common OpenSSL::Crypto)
function(logvault_library layer)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(logvault_${layer} STATIC ${ARG_SOURCES})
  target_link_libraries(logvault_${layer} PUBLIC logvault_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  add_dependencies(layers logvault_${layer})
endfunction()

# logvault_program(logvault-collector SOURCES main.cc DEPS logvault_server)
function(logvault_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE logvault_options ${ARG_DEPS})
  add_dependencies(layers ${name})
endfunction()

# logvault_crash_program(logvault-collector SOURCES storage/vault.cc): the same program in crash/, with the crash points of
# SOURCES (common/crash_point.h).  Objects of the program itself come before those of the libraries, so only these are compiled again.
function(logvault_crash_program program)
  cmake_parse_arguments(ARG "" "" "SOURCES" ${ARGN})
  get_target_property(own ${program} SOURCES)
  get_target_property(folder ${program} SOURCE_DIR)
  get_target_property(libraries ${program} LINK_LIBRARIES)
  list(TRANSFORM own PREPEND ${folder}/)
  list(TRANSFORM ARG_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/)
  add_executable(${program}-crash ${own} ${ARG_SOURCES})
  target_compile_definitions(${program}-crash PRIVATE LOGVAULT_CRASH_POINTS=1)
  target_link_libraries(${program}-crash PRIVATE ${libraries})
  # What the files include beyond the program's own libraries.
  target_link_libraries(${program}-crash PRIVATE RocksDB::rocksdb-shared PkgConfig::SQLITE nlohmann_json::nlohmann_json)
  set_target_properties(${program}-crash PROPERTIES OUTPUT_NAME ${program} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/crash)
endfunction()

# logvault_test(evidence_merkle_test SOURCES merkle_test.cc DEPS logvault_evidence LABELS core)
# Labels: `core` runs under asan+ubsan too, `threads` under tsan too, `system` starts real programs.
function(logvault_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE logvault_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  foreach(label IN LISTS ARG_LABELS)
    if(TARGET tests_${label})
      add_dependencies(tests_${label} ${name})
    endif()
  endforeach()
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "${LOGVAULT_TEST_ENVIRONMENT}")
endfunction()

# logvault_fuzzer(fuzz_note SOURCES note_fuzz.cc DEPS logvault_evidence): built with -DLOGVAULT_FUZZ=ON, and run
# as a test for LOGVAULT_FUZZ_SECONDS (environment; default 10).
function(logvault_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(NOT LOGVAULT_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE logvault_options ${ARG_DEPS})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  add_dependencies(fuzzers ${name})
  add_test(NAME ${name} COMMAND
    sh -c "exec \"$0\" -max_total_time=\${LOGVAULT_FUZZ_SECONDS:-10} -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1"
    $<TARGET_FILE:${name}>)
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()
