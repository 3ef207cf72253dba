# How this project is built when it is the one being built, not when it is part of another.
set(HOLDFAST_SANITIZE "" CACHE STRING "Sanitizers for everything here, e.g. address,undefined")
if(HOLDFAST_SANITIZE)
   add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all)
   add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
   # The thread sanitizer knows no fences, which Boost.Asio has around each handler: what a handler sees went through a
   # mutex of Asio's, too. Those of its counts of references remain.
   if(HOLDFAST_SANITIZE MATCHES "thread")
      add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
      add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
   endif()
endif()

option(HOLDFAST_TOGETHER "Compile sources of tools and tests in batches: quicker, but after a change of one" ON)

option(HOLDFAST_COVERAGE "Count which lines are run; gcovr reads it" OFF)
if(HOLDFAST_COVERAGE)
   # What is counted of every object are the functions of these files: a header's are in the tests' objects too.
   add_compile_options(--coverage -fprofile-update=atomic  # several threads count
      "-fprofile-filter-files=/include/holdfast/|/src/(core|resp|policy|link|commands|config|topology|lane|engine)/")
   add_link_options(--coverage)
   add_compile_definitions(HOLDFAST_COVERAGE)
endif()

# Warnings are errors with the compiler that they were cleaned with; a newer one may know more of them.
if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
   set(werror ON)
else()
   set(werror OFF)
endif()
option(HOLDFAST_WERROR "Warnings are errors" ${werror})
