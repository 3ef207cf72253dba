// Everything that a program with clients that block needs.
#pragma once

#include <holdfast/call_options.hpp>
#include <holdfast/client.hpp>
#include <holdfast/command.hpp>
#include <holdfast/config.hpp>
#include <holdfast/dedicated_client.hpp>
#include <holdfast/delivery.hpp>
#include <holdfast/deployment.hpp>
#include <holdfast/error.hpp>
#include <holdfast/event.hpp>
#include <holdfast/result.hpp>
#include <holdfast/retry.hpp>
#include <holdfast/shared_client.hpp>
#include <holdfast/value.hpp>
