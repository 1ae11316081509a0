# Libraries that a program may take from Debian's archives instead of sharing them: without 50 shared libraries to load and to
# relocate a forwarder starts sooner and is 4 MiB smaller (docs/adr/0019-the-forwarder-links-archives.md).

set(LOGVAULT_ARCHIVES_FOUND TRUE)
set(LOGVAULT_ARCHIVES)
foreach(name grpc++ grpc gpr upb address_sorting re2 cares protobuf ssl crypto)
  find_library(LOGVAULT_ARCHIVE_${name} NAMES lib${name}.a)
  mark_as_advanced(LOGVAULT_ARCHIVE_${name})
  list(APPEND LOGVAULT_ARCHIVES ${LOGVAULT_ARCHIVE_${name}})
  if(NOT LOGVAULT_ARCHIVE_${name})
    set(LOGVAULT_ARCHIVES_FOUND FALSE)
    message(STATUS "lib${name}.a is not here: the forwarder shares its libraries")
  endif()
endforeach()
if(LOGVAULT_ARCHIVES_FOUND)
  # Whichever of absl's the others need: of an archive only what is asked for is linked, and lld minds no order.
  get_filename_component(folder ${LOGVAULT_ARCHIVE_grpc} DIRECTORY)
  file(GLOB absl ${folder}/libabsl_*.a)
  list(APPEND LOGVAULT_ARCHIVES ${absl} ${CMAKE_DL_LIBS})
endif()

# logvault_shared_or_archived(openssl OpenSSL::SSL OpenSSL::Crypto): the target logvault_openssl, which is those libraries, and to a
# program of LOGVAULT_ARCHIVED the archives.  All of them: no two copies of one library may meet in a program.
function(logvault_shared_or_archived name)
  add_library(logvault_${name} INTERFACE)
  set(archived $<BOOL:$<TARGET_PROPERTY:LOGVAULT_ARCHIVED>>)
  target_link_libraries(logvault_${name} INTERFACE "$<IF:${archived},${LOGVAULT_ARCHIVES},${ARGN}>")
endfunction()

# A sanitizer wants to stand before OpenSSL, which it can only where that is shared.
function(logvault_link_archives program)
  if(LOGVAULT_ARCHIVES_FOUND AND NOT LOGVAULT_SANITIZE)
    set_target_properties(${program} PROPERTIES LOGVAULT_ARCHIVED TRUE)
  endif()
endfunction()
