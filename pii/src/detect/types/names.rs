//! Common names of the United States, in lower case and sorted.

/// Given names (Social Security Administration, of the century to 2023), and a few of elsewhere.
#[rustfmt::skip]
pub(super) const GIVEN: &[&str] = &[
    "aaron", "abigail", "ada", "adam", "ahmed", "alan", "albert", "alexander", "alexis", "amanda", "amy", "andrea",
    "andrew", "angela", "ann", "anna", "anthony", "arthur", "ashley", "austin", "barbara", "benjamin", "betty",
    "beverly", "billy", "bobby", "bradley", "brandon", "brenda", "brian", "brittany", "bruce", "bryan", "caleb",
    "carl", "carlos", "carol", "carolyn", "catherine", "charles", "charlotte", "cheryl", "christian", "christina",
    "christine", "christopher", "cynthia", "daniel", "danielle", "david", "deborah", "debra", "denise", "dennis",
    "diana", "diane", "donald", "donna", "doris", "dorothy", "douglas", "dylan", "edward", "elena", "elijah",
    "elizabeth", "emily", "emma", "eric", "ethan", "evelyn", "fatima", "frank", "gabriel", "gary", "george", "gerald",
    "gloria", "grace", "gregory", "hannah", "harold", "heather", "helen", "henry", "isabella", "jack", "jacob",
    "jacqueline", "james", "janet", "janice", "jason", "jeffrey", "jennifer", "jeremy", "jerry", "jesse", "jessica",
    "joan", "joe", "john", "jonathan", "jordan", "jose", "joseph", "joshua", "joyce", "juan", "judith", "judy",
    "julia", "julie", "justin", "karen", "katherine", "kathleen", "kathryn", "kayla", "keith", "kelly", "kenneth",
    "kevin", "kimberly", "kyle", "larry", "laura", "lauren", "lawrence", "liam", "linda", "lisa", "logan", "lucas",
    "luis", "madison", "margaret", "maria", "marilyn", "mark", "martha", "mary", "mason", "matthew", "megan",
    "melissa", "michael", "michelle", "miguel", "mohammed", "nancy", "nathan", "nicholas", "nicole", "noah", "olivia",
    "omar", "pamela", "patricia", "patrick", "paul", "peter", "priya", "rachel", "raj", "randy", "raymond", "rebecca",
    "richard", "robert", "roger", "ronald", "roy", "russell", "ruth", "ryan", "samantha", "samuel", "sandra", "sara",
    "sarah", "scott", "sean", "sharon", "shirley", "sofia", "sophia", "stephanie", "stephen", "steven", "susan",
    "teresa", "terry", "theresa", "thomas", "timothy", "tyler", "victoria", "vincent", "virginia", "walter", "wayne",
    "wei", "william", "willie", "zachary",
];

/// Surnames (Census Bureau, 2010).
#[rustfmt::skip]
pub(super) const SURNAMES: &[&str] = &[
    "adams", "aguilar", "alexander", "allen", "alvarado", "alvarez", "anderson", "andrews", "armstrong", "arnold",
    "austin", "bailey", "baker", "banks", "barnes", "bell", "bennett", "berry", "bishop", "black", "bowman", "boyd",
    "bradley", "brooks", "brown", "bryant", "burke", "burns", "burton", "butler", "campbell", "carlson", "carpenter",
    "carr", "carroll", "carter", "castillo", "castro", "chapman", "chavez", "chen", "clark", "cole", "coleman",
    "collins", "contreras", "cook", "cooper", "cox", "crawford", "cruz", "cunningham", "daniels", "davis", "day",
    "dean", "delgado", "diaz", "dixon", "dominguez", "duncan", "dunn", "edwards", "elliott", "ellis", "espinoza",
    "estrada", "evans", "ferguson", "fernandez", "fields", "fisher", "flores", "ford", "foster", "fowler", "fox",
    "franklin", "freeman", "fuller", "garcia", "gardner", "garrett", "garza", "george", "gibson", "gilbert", "gomez",
    "gonzales", "gonzalez", "gordon", "graham", "grant", "gray", "green", "greene", "griffin", "guerrero",
    "gutierrez", "guzman", "hall", "hamilton", "hansen", "hanson", "harper", "harris", "harrison", "hart", "harvey",
    "hawkins", "hayes", "henderson", "henry", "hernandez", "herrera", "hicks", "hill", "hoffman", "holmes", "howard",
    "howell", "hudson", "hughes", "hunt", "hunter", "jackson", "jacobs", "james", "jenkins", "jensen", "jimenez",
    "johnson", "johnston", "jones", "jordan", "kelley", "kelly", "kennedy", "khan", "kim", "king", "knight", "lane",
    "larson", "lawrence", "lawson", "le", "lee", "lewis", "li", "little", "long", "lopez", "lucas", "luna", "lynch",
    "maldonado", "marquez", "marshall", "martin", "martinez", "mason", "matthews", "mccoy", "mcdonald", "medina",
    "mejia", "mendez", "mendoza", "meyer", "miller", "mills", "mitchell", "montgomery", "moore", "morales", "moreno",
    "morgan", "morris", "morrison", "munoz", "murphy", "murray", "myers", "nelson", "nguyen", "nichols", "nunez",
    "obrien", "oliver", "olson", "ortega", "ortiz", "owens", "padilla", "palmer", "park", "parker", "patel",
    "patterson", "payne", "pena", "perez", "perkins", "perry", "peters", "peterson", "phillips", "pierce", "porter",
    "powell", "price", "ramirez", "ramos", "ray", "reed", "reid", "reyes", "reynolds", "rice", "richards",
    "richardson", "riley", "rios", "rivera", "roberts", "robertson", "robinson", "rodriguez", "rogers", "rojas",
    "romero", "rose", "ross", "ruiz", "russell", "ryan", "salazar", "sanchez", "sanders", "sandoval", "santiago",
    "santos", "schmidt", "schultz", "scott", "shaw", "silva", "simmons", "simpson", "sims", "singh", "smith",
    "snyder", "soto", "spencer", "stephens", "stevens", "stewart", "stone", "sullivan", "taylor", "thomas",
    "thompson", "torres", "tran", "tucker", "turner", "valdez", "vargas", "vasquez", "vega", "wagner", "walker",
    "wallace", "walsh", "wang", "ward", "warren", "washington", "watkins", "watson", "weaver", "webb", "weber",
    "welch", "wells", "west", "wheeler", "white", "williams", "williamson", "willis", "wilson", "wong", "wood",
    "woods", "wright", "yang", "young",
];
