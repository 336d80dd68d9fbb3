// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The settlement ledger of local energy markets
/// @notice Records every settled delivery interval exactly once and keeps the running balances that follow from it.
/// The settler states prices, positions and registers; every amount of money is computed here, so whoever reads the
/// chain can check prices and meters, and has no arithmetic left to dispute.
/// @dev Energy in Wh, prices in micro-currency per kWh, money in nano-currency (price x Wh, exact). Positive is received.
/// Nothing is divided, nothing is `unchecked`, no ether is held, no foreign code is called, and nothing can be upgraded.
contract SettlementLedger {
    /// @notice What all chunks of one interval share.
    struct Interval {
        bytes32 market; // identifier as left-aligned ASCII
        uint64 start; // epoch ms, UTC, aligned to the length
        uint32 lengthMs;
        uint16 chunks;
        int64 localPrice;
        int64 shortPrice; // paid by members who are short
        int64 longPrice; // paid to members who are long
        int64 importPrice;
        int64 exportPrice;
        uint64 feederImported; // Wh at the point of common coupling
        uint64 feederExported;
    }

    /// @notice One member's position in one interval.
    struct Party {
        uint24 member;
        uint32 bought;
        uint32 sold;
        uint32 imported;
        uint32 exported;
        uint32 balancedLong;
        uint32 balancedShort;
        bool substituted;
    }

    /// @notice A member's running account in one market. `intervals` is zero for who was never settled there.
    struct Account {
        int128 balance;
        uint64 intervals;
        uint64 substituted;
    }

    /// @notice The running accounts of one market. Members + community + utility + inFlight is zero at all times.
    struct Totals {
        int128 community;
        int128 utility;
        int128 inFlight; // local trades whose other side stands in a chunk that is still to come
        int128 lossesWh; // of finalized intervals: feeder net import minus the members' net import
        uint64 intervals; // finalized
        uint64 chunks;
    }

    /// @notice Progress of one interval. The open sums must be zero when the last chunk is in.
    struct Progress {
        bytes32 intervalHash;
        int64 openTradedWh; // sold minus bought
        int64 openBalancedWh; // balanced long minus balanced short
        int64 netWh; // imported minus exported, of all members so far
        uint16 chunks; // settled so far
        bool isFinal;
    }

    struct Settled {
        bytes32 payloadHash;
        uint64 blockNumber;
    }

    /// @dev What the parties of one chunk add up to.
    struct Sums {
        int256 members;
        int256 community;
        int256 utility;
        int256 tradedWh;
        int256 balancedWh;
        int256 netWh;
        uint256 substituted;
        bool priced;
    }

    event MemberRegistered(uint24 indexed index, bytes32 indexed id);

    /// @notice One per settled chunk. It repeats the input, so every balance can be rebuilt from the events alone.
    event IntervalChunkSettled(
        bytes32 indexed market,
        uint64 indexed start,
        uint16 indexed chunk,
        bytes32 payloadHash,
        int256 members,
        int256 community,
        int256 utility,
        uint256 substituted,
        Interval interval,
        bytes parties
    );

    event IntervalFinalized(bytes32 indexed market, uint64 indexed start, uint16 chunks, int256 lossesWh);

    error NotSettler(address caller);
    error ZeroSettler();
    error ZeroMarket();
    error ChunkOutOfRange(uint16 chunk, uint16 chunks);
    error AlreadySettledDifferently(bytes32 market, uint64 start, uint16 chunk, bytes32 settled, bytes32 offered);
    error IntervalMisaligned(uint64 start, uint32 lengthMs);
    error IntervalOverlaps(bytes32 market, uint64 start);
    error IntervalDiffers(bytes32 market, uint64 start);
    error PriceOutOfBounds(int64 price);
    error FeederOutOfBounds(uint64 energy);
    error PricesOutOfOrder();
    error MalformedParties(uint256 length);
    error UnknownFlags(uint24 member, uint8 flags);
    error UnknownMember(uint24 member);
    error NotAscending(uint24 member);
    error MemberTwiceInInterval(uint24 member);
    error BalancedAboveDeviation(uint24 member);
    error UnbalancedInterval(int256 tradedWh, int256 balancedWh);
    error ZeroMemberId(uint24 index);
    error MemberIndexGap(uint24 expected, uint24 offered);
    error MemberIndexTaken(uint24 index, bytes32 id);
    error MemberIdTaken(bytes32 id, uint24 index);

    uint256 public constant PARTY_BYTES = 28;
    int64 public constant PRICE_LIMIT = 2 ** 31;
    uint64 public constant FEEDER_LIMIT = 2 ** 48;
    uint256 private constant SLOT_MS = 5 minutes * 1000;
    /// @dev Divisible by 12, the slots of an hour: an aligned interval never crosses a word.
    uint256 private constant SLOTS_PER_WORD = 240;
    uint8 private constant FLAG_SUBSTITUTED = 1;

    /// @notice The one key that may settle and register.
    address public immutable SETTLER;

    /// @notice Members are numbered from 1, for ever; 0 is nobody.
    uint24 public memberCount;
    mapping(uint24 index => bytes32 id) public memberId;
    mapping(bytes32 id => uint24 index) public memberIndex;

    mapping(bytes32 chunkKey => Settled) private _settled;
    mapping(bytes32 intervalKey => Progress) private _progress;
    mapping(bytes32 intervalKey => mapping(uint256 word => uint256 bits)) private _membersOfInterval;
    mapping(bytes32 market => mapping(uint256 word => uint256 bits)) private _coveredTime;
    mapping(bytes32 market => mapping(uint24 member => Account)) private _accounts;
    mapping(bytes32 market => Totals) private _totals;

    modifier onlySettler() {
        if (msg.sender != SETTLER) revert NotSettler(msg.sender);
        _;
    }

    constructor(address settler) {
        if (settler == address(0)) revert ZeroSettler();
        SETTLER = settler;
    }

    // ------------------------------------------------------------------------------------------------ members

    /// @notice Gives `ids` the numbers `first`, `first + 1`, ... The same numbers for the same ids again change nothing.
    /// @param first At most one above the last number given so far.
    function registerMembers(uint24 first, bytes32[] calldata ids) external onlySettler {
        for (uint256 i = 0; i < ids.length; ++i) {
            _registerMember(uint24(first + i), ids[i]);
        }
    }

    function _registerMember(uint24 index, bytes32 id) private {
        if (id == 0) revert ZeroMemberId(index);
        if (index != 0 && index <= memberCount) {
            if (memberId[index] != id) revert MemberIndexTaken(index, memberId[index]);
            return;
        }
        if (index != memberCount + 1) revert MemberIndexGap(memberCount + 1, index);
        if (memberIndex[id] != 0) revert MemberIdTaken(id, memberIndex[id]);
        memberCount = index;
        memberId[index] = id;
        memberIndex[id] = index;
        emit MemberRegistered(index, id);
    }

    // ------------------------------------------------------------------------------------------------ settlement

    /// @notice Settles one chunk of an interval. The same chunk with the same content again changes nothing and emits
    /// nothing. Chunks come in any order; the one that completes the interval finalizes it.
    /// @param chunk 0 to `interval.chunks - 1`.
    /// @param parties 28 bytes each, big-endian, members ascending: member (3), bought, sold, imported, exported,
    /// balancedLong, balancedShort (4 each), flags (1; bit 0 is substituted).
    function settle(Interval calldata interval, uint16 chunk, bytes calldata parties) external onlySettler {
        bytes32 payloadHash = keccak256(abi.encode(interval, chunk, keccak256(parties)));
        Settled storage settled = _settled[_chunkKey(interval.market, interval.start, chunk)];
        if (settled.payloadHash == payloadHash) return;
        if (settled.payloadHash != 0) {
            revert AlreadySettledDifferently(
                interval.market, interval.start, chunk, settled.payloadHash, payloadHash
            );
        }
        _checkInterval(interval, chunk);
        settled.payloadHash = payloadHash;
        settled.blockNumber = uint64(block.number);
        Progress storage progress = _openInterval(interval);
        Sums memory sums = _postParties(interval, parties);
        _postTotals(interval, sums);
        _emitSettled(interval, chunk, payloadHash, sums, parties);
        _advance(interval, progress, sums);
    }

    /// @dev Refuses what no honest interval can be. Alignment and the few lengths keep the time bitmap exact.
    function _checkInterval(Interval calldata interval, uint16 chunk) private pure {
        if (interval.market == 0) revert ZeroMarket();
        if (chunk >= interval.chunks) revert ChunkOutOfRange(chunk, interval.chunks);
        uint32 length = interval.lengthMs;
        bool known = length == 5 minutes * 1000 || length == 15 minutes * 1000 || length == 30 minutes * 1000
            || length == 60 minutes * 1000;
        if (!known || interval.start % length != 0) revert IntervalMisaligned(interval.start, length);
        _checkPrice(interval.localPrice);
        _checkPrice(interval.shortPrice);
        _checkPrice(interval.longPrice);
        _checkPrice(interval.importPrice);
        _checkPrice(interval.exportPrice);
        if (interval.feederImported >= FEEDER_LIMIT) revert FeederOutOfBounds(interval.feederImported);
        if (interval.feederExported >= FEEDER_LIMIT) revert FeederOutOfBounds(interval.feederExported);
    }

    function _checkPrice(int64 price) private pure {
        if (price <= -PRICE_LIMIT || price >= PRICE_LIMIT) revert PriceOutOfBounds(price);
    }

    /// @dev The first chunk fixes what all chunks share and claims the interval's time; the others must agree with it.
    function _openInterval(Interval calldata interval) private returns (Progress storage progress) {
        progress = _progress[_intervalKey(interval.market, interval.start)];
        bytes32 intervalHash = keccak256(abi.encode(interval));
        if (progress.intervalHash == intervalHash) return progress;
        if (progress.intervalHash != 0) revert IntervalDiffers(interval.market, interval.start);
        _claimTime(interval);
        progress.intervalHash = intervalHash;
    }

    /// @dev No instant of a market is settled under two intervals, whatever their lengths.
    function _claimTime(Interval calldata interval) private {
        uint256 slot = interval.start / SLOT_MS;
        uint256 mask = ((1 << (interval.lengthMs / SLOT_MS)) - 1) << (slot % SLOTS_PER_WORD);
        uint256 covered = _coveredTime[interval.market][slot / SLOTS_PER_WORD];
        if (covered & mask != 0) revert IntervalOverlaps(interval.market, interval.start);
        _coveredTime[interval.market][slot / SLOTS_PER_WORD] = covered | mask;
    }

    function _postParties(Interval calldata interval, bytes calldata parties) private returns (Sums memory sums) {
        if (parties.length % PARTY_BYTES != 0) revert MalformedParties(parties.length);
        uint24 lastRegistered = memberCount;
        uint24 previous = 0;
        for (uint256 offset = 0; offset < parties.length; offset += PARTY_BYTES) {
            Party memory party = _decodeParty(bytes28(parties[offset:offset + PARTY_BYTES]));
            if (party.member == 0 || party.member > lastRegistered) revert UnknownMember(party.member);
            if (party.member <= previous) revert NotAscending(party.member);
            previous = party.member;
            if (interval.chunks > 1) _claimMember(interval, party.member);
            _postMember(interval.market, party, _addParty(interval, party, sums));
        }
        if (sums.priced) _checkPriceOrder(interval);
    }

    /// @dev One reading is consumed once: within a chunk the order proves it, between chunks this bitmap does.
    function _claimMember(Interval calldata interval, uint24 member) private {
        mapping(uint256 => uint256) storage words = _membersOfInterval[_intervalKey(interval.market, interval.start)];
        uint256 bit = 1 << (member % 256);
        uint256 bits = words[member / 256];
        if (bits & bit != 0) revert MemberTwiceInInterval(member);
        words[member / 256] = bits | bit;
    }

    /// @dev Every leg of one party. Prices are below 2^31 and energies below 2^34, so an amount is below 2^67.
    /// @return amount What the member receives.
    function _addParty(Interval calldata interval, Party memory party, Sums memory sums)
        private
        pure
        returns (int256 amount)
    {
        (int256 tariffLong, int256 tariffShort) = _tariffEnergy(party);
        int256 traded = int256(uint256(party.sold)) - int256(uint256(party.bought));
        int256 balancedLong = int256(uint256(party.balancedLong));
        int256 balancedShort = int256(uint256(party.balancedShort));

        int256 trade = traded * interval.localPrice;
        int256 imbalance = balancedLong * interval.longPrice - balancedShort * interval.shortPrice;
        int256 tariff = tariffLong * interval.exportPrice - tariffShort * interval.importPrice;
        amount = trade + imbalance + tariff;

        sums.members += amount;
        sums.community -= imbalance;
        sums.utility -= tariff;
        sums.tradedWh += traded;
        sums.balancedWh += balancedLong - balancedShort;
        sums.netWh += int256(uint256(party.imported)) - int256(uint256(party.exported));
        if (party.substituted) ++sums.substituted;
        if ((party.bought | party.sold | party.balancedLong | party.balancedShort) != 0) sums.priced = true;
    }

    /// @dev The deviation from what was traded, less what met inside the street: this is the utility's.
    function _tariffEnergy(Party memory party) private pure returns (int256 long, int256 short) {
        uint256 deviationLong = _excess(party.exported, party.sold) + _excess(party.bought, party.imported);
        uint256 deviationShort = _excess(party.sold, party.exported) + _excess(party.imported, party.bought);
        if (party.balancedLong > deviationLong || party.balancedShort > deviationShort) {
            revert BalancedAboveDeviation(party.member);
        }
        long = int256(deviationLong - party.balancedLong);
        short = int256(deviationShort - party.balancedShort);
    }

    function _postMember(bytes32 market, Party memory party, int256 amount) private {
        Account storage account = _accounts[market][party.member];
        account.balance += int128(amount);
        account.intervals += 1;
        if (party.substituted) account.substituted += 1;
    }

    /// @dev A chunk holds fewer than 2^24 parties, so its sums stay below 2^91 and the casts to int128 lose nothing.
    function _postTotals(Interval calldata interval, Sums memory sums) private {
        int256 inFlight = -sums.tradedWh * interval.localPrice;
        assert(sums.members + sums.community + sums.utility + inFlight == 0);
        Totals storage totals = _totals[interval.market];
        totals.community += int128(sums.community);
        totals.utility += int128(sums.utility);
        totals.inFlight += int128(inFlight);
        totals.chunks += 1;
    }

    /// @dev A member settles at most once per interval, so the open sums stay below 2^24 x 2^34 Wh: int64 holds them.
    function _advance(Interval calldata interval, Progress storage progress, Sums memory sums) private {
        int256 tradedWh = progress.openTradedWh + sums.tradedWh;
        int256 balancedWh = progress.openBalancedWh + sums.balancedWh;
        int256 netWh = progress.netWh + sums.netWh;
        uint16 chunks = progress.chunks + 1;
        progress.openTradedWh = int64(tradedWh);
        progress.openBalancedWh = int64(balancedWh);
        progress.netWh = int64(netWh);
        progress.chunks = chunks;
        if (chunks < interval.chunks) return;
        if (tradedWh != 0 || balancedWh != 0) revert UnbalancedInterval(tradedWh, balancedWh);
        progress.isFinal = true;
        _finalize(interval, netWh);
    }

    function _finalize(Interval calldata interval, int256 netWh) private {
        int256 feederNet = int256(uint256(interval.feederImported)) - int256(uint256(interval.feederExported));
        int256 lossesWh = feederNet - netWh;
        Totals storage totals = _totals[interval.market];
        totals.intervals += 1;
        totals.lossesWh += int128(lossesWh);
        emit IntervalFinalized(interval.market, interval.start, interval.chunks, lossesWh);
    }

    /// @dev Nobody who trades or balances inside the street may end worse than with the utility.
    function _checkPriceOrder(Interval calldata interval) private pure {
        bool ordered = interval.exportPrice <= interval.longPrice && interval.longPrice <= interval.localPrice
            && interval.localPrice <= interval.shortPrice && interval.shortPrice <= interval.importPrice;
        if (!ordered) revert PricesOutOfOrder();
    }

    function _emitSettled(
        Interval calldata interval,
        uint16 chunk,
        bytes32 payloadHash,
        Sums memory sums,
        bytes calldata parties
    ) private {
        emit IntervalChunkSettled(
            interval.market,
            interval.start,
            chunk,
            payloadHash,
            sums.members,
            sums.community,
            sums.utility,
            sums.substituted,
            interval,
            parties
        );
    }

    // ------------------------------------------------------------------------------------------------ views

    /// @notice The hash of the payload under that key and the block that took it; zeros where there is none.
    function isSettled(bytes32 market, uint64 start, uint16 chunk)
        external
        view
        returns (bytes32 payloadHash, uint64 blockNumber)
    {
        Settled storage settled = _settled[_chunkKey(market, start, chunk)];
        return (settled.payloadHash, settled.blockNumber);
    }

    /// @notice `isSettled` of many keys at once, in their order.
    function settledChunks(bytes32 market, uint64[] calldata starts, uint16[] calldata chunks)
        external
        view
        returns (Settled[] memory found)
    {
        found = new Settled[](starts.length);
        for (uint256 i = 0; i < starts.length; ++i) {
            found[i] = _settled[_chunkKey(market, starts[i], chunks[i])];
        }
    }

    /// @notice How far an interval is settled.
    function progressOf(bytes32 market, uint64 start) external view returns (Progress memory) {
        return _progress[_intervalKey(market, start)];
    }

    /// @notice The accounts of the members `first`, `first + 1`, ..., at most `count`, together with the totals they
    /// belong to: a reader of several pages compares `chunks` of the totals to see that nothing moved in between.
    function accounts(bytes32 market, uint24 first, uint24 count)
        external
        view
        returns (Totals memory totals, Account[] memory page)
    {
        totals = _totals[market];
        page = new Account[](_pageLength(first, count));
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = _accounts[market][uint24(first + i)];
        }
    }

    /// @notice The ids of the members `first`, `first + 1`, ..., at most `count`.
    function memberIds(uint24 first, uint24 count) external view returns (bytes32[] memory ids) {
        ids = new bytes32[](_pageLength(first, count));
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = memberId[uint24(first + i)];
        }
    }

    function _pageLength(uint24 first, uint24 count) private view returns (uint256) {
        uint256 last = memberCount;
        if (first == 0 || first > last) return 0;
        uint256 left = last - first + 1;
        return left < count ? left : count;
    }

    // ------------------------------------------------------------------------------------------------ small parts

    function _decodeParty(bytes28 packed) private pure returns (Party memory party) {
        uint224 bits = uint224(packed);
        party.member = uint24(bits >> 200);
        party.bought = uint32(bits >> 168);
        party.sold = uint32(bits >> 136);
        party.imported = uint32(bits >> 104);
        party.exported = uint32(bits >> 72);
        party.balancedLong = uint32(bits >> 40);
        party.balancedShort = uint32(bits >> 8);
        uint8 flags = uint8(bits);
        if (flags > FLAG_SUBSTITUTED) revert UnknownFlags(party.member, flags);
        party.substituted = flags == FLAG_SUBSTITUTED;
    }

    function _excess(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : 0;
    }

    function _chunkKey(bytes32 market, uint64 start, uint16 chunk) private pure returns (bytes32) {
        return keccak256(abi.encode(market, start, chunk));
    }

    function _intervalKey(bytes32 market, uint64 start) private pure returns (bytes32) {
        return keccak256(abi.encode(market, start));
    }
}
