# The rows of the catalogue once more, against the other server that the machine may have: a valkey-server in $PATH, or
# where -DHOLDFAST_VALKEY_SERVER=... says. Where there is none, tools/run_tests says what is skipped for it.
find_program(HOLDFAST_VALKEY_SERVER valkey-server DOC "A valkey-server to run the rows' tests against as well")
if(HOLDFAST_VALKEY_SERVER)
   foreach(source IN LISTS sources)
      cmake_path(GET source STEM name)
      if(NOT name MATCHES "^(rows|repeat)_")
         continue()
      endif()
      add_test(NAME ${name}_valkey COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
      set_tests_properties(${name}_valkey PROPERTIES LABELS "gtest;waits" TIMEOUT 300 RUN_SERIAL TRUE
                           ENVIRONMENT "HOLDFAST_REDIS_SERVER=${HOLDFAST_VALKEY_SERVER}")
   endforeach()
else()
   add_test(NAME rows_valkey COMMAND "${CMAKE_COMMAND}" -E echo "there is no valkey-server on this machine")
   set_tests_properties(rows_valkey PROPERTIES LABELS skipped SKIP_REGULAR_EXPRESSION "there is no .*")
endif()
