// The page where one signs in: whoever comes next is not taken for whoever wrote here last, and once somebody has signed
// out, nothing that they wrote is left on this device.

import { forget, forgetPerson } from "./case-keep.js";

if (document.querySelector("[data-signed-out]")) forget();
else forgetPerson();
