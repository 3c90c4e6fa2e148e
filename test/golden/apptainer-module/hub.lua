-- Written by wharf, and written again. There is no secret here: it is read from docker-config.json when this is loaded.
-- While it is loaded the one login goes to every registry; jobs and containers get it in their environment.
whatis("login of docker.io, in APPTAINER_DOCKER_USERNAME and APPTAINER_DOCKER_PASSWORD")

local function decode(text)
   local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
   local bytes, held, bits = {}, 0, 0
   for char in text:gmatch("[%w+/]") do
      held = held * 64 + alphabet:find(char, 1, true) - 1
      bits = bits + 6
      if bits >= 8 then
         bits = bits - 8
         local byte = math.floor(held / 2 ^ bits)
         bytes[#bytes + 1] = string.char(byte)
         held = held - byte * 2 ^ bits
      end
   end
   return table.concat(bytes)
end

local function pair(path, key)
   local file = io.open(path, "r")
   if not file then return nil end
   local text = file:read("*a")
   file:close()
   local at = text:find('"' .. key .. '"', 1, true)
   while at do
      local auth = text:match('^"[^"]*"%s*:%s*{[^{}]-"auth"%s*:%s*"([%w+/=]+)"', at)
      if auth then return decode(auth):match("^([^:]*):(.*)$") end
      at = text:find('"' .. key .. '"', at + 1, true)
   end
end

-- Only "load" needs the pair: `module show` prints what is set.
local username, secret = "", ""
if mode() == "load" then
   username, secret = pair((os.getenv("HOME") or "") .. "/.apptainer/docker-config.json", "https://index.docker.io/v1/")
   if not username then
      LmodError("no login of docker.io in docker-config.json: wharf apply writes it")
   end
end
setenv("APPTAINER_DOCKER_USERNAME", username)
setenv("APPTAINER_DOCKER_PASSWORD", secret)
