# holdfast_layer(name [FOLDER f] [WITHOUT folder...] [DEPENDS layer...] [LIBRARIES target...]): one layer, of all
# sources below src/<f>, but for those of layers in folders of their own.
# holdfast_library(name EXPORT n [LIBRARIES target...]): a library that users link, made of all layers declared since
# the last one: holdfast::<n>, static or shared. Its target, <name> or <name>_shared, is added to HOLDFAST_OFFERED. What
# is named here is linked by its users, too; of the project's own libraries the static one is named.

set(HOLDFAST_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor)
if(HOLDFAST_WERROR)
   list(APPEND HOLDFAST_WARNINGS -Werror)
endif()

function(holdfast_target_defaults target)
   target_compile_features(${target} PUBLIC cxx_std_20)
   target_compile_options(${target} PRIVATE ${HOLDFAST_WARNINGS})
   target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
   set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
endfunction()

# What almost every source includes is compiled once. Not for the sanitizers, so that a source of the library that has
# forgotten an include does not pass everywhere. (Tests and tools are compiled together there, too.)
function(holdfast_precompile target)
   if(HOLDFAST_SANITIZE OR HOLDFAST_COVERAGE)
      return()
   endif()
   if(NOT TARGET holdfast_precompiled)
      add_library(holdfast_precompiled OBJECT EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
      holdfast_target_defaults(holdfast_precompiled)
      target_precompile_headers(holdfast_precompiled PRIVATE "${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp")
   endif()
   target_precompile_headers(${target} REUSE_FROM holdfast_precompiled)
endfunction()

# Sources of tools and tests are compiled a few at a time: the standard library is what takes the time. No two of them
# in a folder can have the same name in their unnamed namespaces. (-DHOLDFAST_TOGETHER=OFF: each alone.)
function(holdfast_compile_together target)
   if(HOLDFAST_TOGETHER AND NOT CMAKE_UNITY_BUILD)
      set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
   endif()
endfunction()

function(holdfast_layer name)
   cmake_parse_arguments(arg "" "FOLDER" "DEPENDS;LIBRARIES;WITHOUT" ${ARGN})
   if(NOT arg_FOLDER)
      set(arg_FOLDER ${name})
   endif()
   file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${arg_FOLDER}/*.cpp")
   foreach(folder IN LISTS arg_WITHOUT)
      list(FILTER sources EXCLUDE REGEX "/src/${arg_FOLDER}/${folder}/")
   endforeach()
   if(NOT sources)  # headers only
      add_library(holdfast_${name} INTERFACE)
      list(TRANSFORM arg_DEPENDS PREPEND holdfast_)
      target_include_directories(holdfast_${name} INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                                 "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>")
      target_link_libraries(holdfast_${name} INTERFACE ${arg_DEPENDS})
      return()
   endif()
   add_library(holdfast_${name} STATIC ${sources})
   holdfast_target_defaults(holdfast_${name})
   holdfast_precompile(holdfast_${name})
   if(HOLDFAST_COVERAGE)  # an inline function that nobody calls would not be there to be missed
      target_compile_options(holdfast_${name} PRIVATE -fkeep-inline-functions)
   endif()
   target_include_directories(holdfast_${name} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                              "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>")
   list(TRANSFORM arg_DEPENDS PREPEND holdfast_)
   target_link_libraries(holdfast_${name} PUBLIC ${arg_DEPENDS} ${arg_LIBRARIES})
   set_property(GLOBAL APPEND PROPERTY HOLDFAST_LAYERS holdfast_${name})
   set_property(GLOBAL APPEND PROPERTY HOLDFAST_LIBRARIES ${arg_LIBRARIES})
endfunction()

function(holdfast_library name)
   cmake_parse_arguments(arg "" "EXPORT" "LIBRARIES" ${ARGN})
   get_property(layers GLOBAL PROPERTY HOLDFAST_LAYERS)
   get_property(libraries GLOBAL PROPERTY HOLDFAST_LIBRARIES)
   set_property(GLOBAL PROPERTY HOLDFAST_LAYERS)
   set_property(GLOBAL PROPERTY HOLDFAST_LIBRARIES)
   list(REMOVE_ITEM libraries ${arg_LIBRARIES} "")
   list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
   add_library(${name} STATIC ${objects})
   set(linked_by_${name} ${arg_LIBRARIES})
   set(offered ${name})
   if(BUILD_SHARED_LIBS)  # of the same objects; what is ours (the binary, the tests) is linked with the static one
      add_library(${name}_shared SHARED ${objects})
      set(linked_by_${name}_shared ${arg_LIBRARIES})
      list(TRANSFORM linked_by_${name}_shared REPLACE "^(holdfast.*)$" "\\1_shared")
      set(offered ${name}_shared)
      set(exported "${PROJECT_SOURCE_DIR}/cmake/exported.map")
      target_link_options(${name}_shared PRIVATE "LINKER:--version-script=${exported}"
                          $<$<NOT:$<BOOL:${HOLDFAST_SANITIZE}>>:LINKER:--no-undefined>)
      # Before 1.0 a minor version may break its users: they are not linked with another one.
      set_target_properties(${name}_shared PROPERTIES
                            OUTPUT_NAME ${name} EXPORT_NAME ${arg_EXPORT} LINK_DEPENDS "${exported}"
                            VERSION ${PROJECT_VERSION}
                            SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
      set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
   else()
      set_target_properties(${name} PROPERTIES EXPORT_NAME ${arg_EXPORT})
   endif()
   add_library(holdfast::${arg_EXPORT} ALIAS ${offered})
   set(HOLDFAST_OFFERED ${HOLDFAST_OFFERED} ${offered} PARENT_SCOPE)
   list(APPEND offered ${name})
   list(REMOVE_DUPLICATES offered)
   foreach(target IN LISTS offered)
      set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
      target_compile_features(${target} PUBLIC cxx_std_20)
      target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                                 "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
      target_link_libraries(${target} PUBLIC Threads::Threads ${linked_by_${target}} PRIVATE ${libraries})
   endforeach()
endfunction()
